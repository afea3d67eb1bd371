"""The public names are those that are promised, and they load on first use."""

from __future__ import annotations

import re
import subprocess
import sys

import sage50kit
from tests.stage import ROOT


def test_every_public_name_exists():
    """What `__all__` promises can be had, and at most twelve names are promised."""
    assert all(getattr(sage50kit, name) for name in sage50kit.__all__)
    assert {"Kit", "Profile", "Plan", "Document", "GLEntry", "Payment"} <= set(sage50kit.__all__)
    assert len(sage50kit.__all__) <= 12


def test_an_unknown_name_is_an_attribute_error():
    """Nothing is made up."""
    assert not hasattr(sage50kit, "Manager")


def test_kit_has_the_verbs_of_a_notebook():
    """The verbs up to this version, each with a docstring."""
    verbs = (
        "fetch left_out locations why validate propose_batch plan proof push verify history doctor "
        "reconcile ageing match_history"
    )

    assert all(getattr(sage50kit.Kit, verb).__doc__ for verb in verbs.split())


def test_importing_the_package_loads_nothing_heavy():
    """`import sage50kit` is instant: the names are imported on first use."""
    code = "import sage50kit, sys; print(len({'pandas', 'httpx', 'pydantic', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "0"


def test_the_errors_are_drawn_as_they_are():
    """Every error class stands in the tree at the top of the file, and the other way round."""
    from sage50kit import errors

    drawn = set(re.findall(r"^[│ ├└─]*([A-Z]\w+)(?:  |$)", errors.__doc__ or "", re.MULTILINE))
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    classes = {name for name in classes if getattr(errors, name).__module__ == errors.__name__}

    assert drawn == classes


def test_every_error_has_an_exit_code_of_the_terminal():
    """Exit codes are those of the design."""
    from sage50kit import errors

    kinds = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.Sage50KitError)}

    assert codes <= {1, 2, 3, 4, 5, 6}
