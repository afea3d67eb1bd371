"""What is installed is enough: the wheel carries its fixtures and runs the demo away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What a user without extras does not have; `-c` blocks them before the demo is started.
EXTRAS = ("jupyterlab", "ipywidgets", "anywidget", "papermill", "ipykernel", "trustme", "beancount")
WITHOUT_EXTRAS = f"""
import sys
for name in {EXTRAS!r}:
    sys.modules[name] = None
from sage50kit.cli import main
sys.argv[0] = "sage50kit"
main()
"""


@pytest.mark.slow
def test_the_demo_runs_from_a_wheel_without_extras(tmp_path):
    """Unpacked elsewhere, with no extra importable, `demo` ends as planned."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    command = [sys.executable, "-c", WITHOUT_EXTRAS, "demo", "--workdir", str(tmp_path / "demo")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
    )

    assert run.returncode == 0, run.stderr
    assert (tmp_path / "demo" / "demo.html").is_file()
