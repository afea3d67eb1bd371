"""Carry ConnectWise PSA transactions into Sage 50 US exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.version import __version__

if TYPE_CHECKING:
    from sage50kit import errors
    from sage50kit.kit import Kit
    from sage50kit.model import Document, GLEntry, Payment, Plan
    from sage50kit.profile import Profile

__all__ = ["Document", "GLEntry", "Kit", "Payment", "Plan", "Profile", "__version__", "errors"]

# Where each public name lives. They are imported on first use, so that `import sage50kit` and
# `sage50kit --help` load neither pandas nor httpx.
_HOMES = {
    "Document": "sage50kit.model",
    "GLEntry": "sage50kit.model",
    "Kit": "sage50kit.kit",
    "Payment": "sage50kit.model",
    "Plan": "sage50kit.model",
    "Profile": "sage50kit.profile",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    from importlib import import_module

    if name == "errors":
        return import_module("sage50kit.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sage50kit' has no attribute {name!r}")
