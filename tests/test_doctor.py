"""What the doctor finds, and that it does not ask in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sage50kit import Kit
from sage50kit.sandbox.faults import Faults
from sage50kit.sandbox.faultwords import read_faults
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from tests.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A pair that is only looked at."""
    with staged(tmp_path_factory.mktemp("doctor"), faults=Faults()) as made:
        yield made


@pytest.fixture
def keys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment with the keys of the member who may do everything."""
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def examined(profile: Path) -> pd.DataFrame:
    with Kit(profile) as kit:
        return kit.doctor()


def failed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["result"] == "fail"]


def test_a_pair_that_fits_has_no_failure(stage, keys):
    """Every area is looked at; the account that Sage lacks is a warning with its cure."""
    rows = examined(stage.profile)

    assert list(failed(rows)["detail"]) == []
    assert set(rows["area"]) == {"ConnectWise", "Mapping", "Sage 50", "Profile", "Push log"}
    (warning,) = rows[rows["result"] == "warn"].itertuples()
    assert "4950" in warning.detail
    assert "Chart of Accounts" in warning.fix


def test_wrong_keys_are_said_once(stage, keys):
    """The first row says it; nothing else is asked of ConnectWise, the company is still looked at."""
    keys.setenv("SAGE50KIT_STAGE_PRIVATE_KEY", "wrong-hush")
    before = len(stage.server.faults.seen)
    rows = examined(stage.profile)

    assert "refused the keys" in failed(rows).iloc[0]["detail"]
    assert list(failed(rows)["check"])[1:] == ["not tried"]
    assert len(stage.server.faults.seen) - before <= 2
    assert "the company opens" in set(rows["check"])
    assert "wrong-hush" not in rows.to_csv()


def test_a_missing_right_names_its_module(stage, keys):
    """One row for each path that may not be read; the others pass."""
    rules = read_faults(["403 GET /system/members on every"], stage.server.gate)
    stage.server.faults.rules[:] = rules.rules
    rows = failed(examined(stage.profile))
    stage.server.faults.rules.clear()

    assert list(rows["check"]) == ["read /system/members"]
    assert "System > Member Maintenance (Inquire = All)" in rows.iloc[0]["detail"]


def test_settings_that_do_not_fit_are_found(stage, keys):
    """A rounding account that Sage does not have, and no initials."""
    text = stage.profile.read_text(encoding="utf-8")
    other = stage.folder / "other.toml"
    changed = text.replace('"6900"', '"6999"').replace('initials = "JD"', "")
    other.write_text(changed, encoding="utf-8")
    rows = examined(other).set_index("check")

    assert rows.loc["rounding account", "result"] == "fail"
    assert "6999 is not in Sage 50" in rows.loc["rounding account", "detail"]
    assert rows.loc["initials", "result"] == "warn"


def test_another_package_than_other_is_a_warning(stage, keys):
    """The export is made for the package that ConnectWise calls Other."""
    package = stage.site.setup.tables["accountingPackageSetup"][1]
    before = package["accountingPackage"]
    package["accountingPackage"] = {"id": 2, "identifier": "GPlains"}
    stage.site.changed()
    rows = examined(stage.profile).set_index("check")
    package["accountingPackage"] = before
    stage.site.changed()

    assert rows.loc["Accounting Package is Other", "result"] == "warn"
    assert "set it to Other" in rows.loc["Accounting Package is Other", "fix"]
