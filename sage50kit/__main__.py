"""Run the terminal verbs: `python -m sage50kit`."""

from __future__ import annotations

import sys

from sage50kit.cli import main

if __name__ == "__main__":
    sys.exit(main())
