"""Which push log a profile means, and what it needs to be opened."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import ConfigError, LogUnavailable
from sage50kit.profile import Profile
from sage50kit.pushlog.opening import open_log, verify_log
from tests.embedded_company import new_company
from tests.postgres import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "SAGE50KIT_ACME_LOG_PASSWORD"


def profile(folder: Path, **sage: str) -> Profile:
    """A profile of a company in a folder."""
    content: dict[str, Any] = {
        "name": "acme",
        "connectwise": {"site": "na.myconnectwise.net", "company": "acme", "client_id": "id"},
        "sage": {"company_file": "company.sqlite", **sage},
    }
    return Profile.parse(content, folder=folder)


def test_without_a_word_the_log_stands_beside_the_company(tmp_path):
    """Two profiles on one company share it."""
    with new_company(tmp_path) as company:
        log = open_log(profile(tmp_path), company=company, site="site")
        company.adopt_log(log.log_id)
        log.close()
        again = open_log(profile(tmp_path), company=company, site="site")

        assert again.log_id == company.log_id()
        assert (tmp_path / "company.sqlite.pushlog").exists()
        again.close()


def test_a_vanished_log_is_asked_back(tmp_path):
    """The company remembers it, so nobody begins a second one."""
    with new_company(tmp_path) as company:
        log = open_log(profile(tmp_path), company=company, site="site")
        company.adopt_log(log.log_id)
        log.close()
        (tmp_path / "company.sqlite.pushlog").unlink()
        events, problems = verify_log(profile(tmp_path), company=company)

        assert (events, len(problems)) == (0, 1)
        assert "Restore it from a backup" in problems[0]
        assert not (tmp_path / "company.sqlite.pushlog").exists()


def test_a_log_on_a_server_asks_for_its_password(tmp_path, postgres, monkeypatch):
    """The secret `log_password` opens it; no word of it is in what can be seen."""
    monkeypatch.setenv(VARIABLE, PASSWORD)
    chosen = profile(tmp_path, log=postgres.keeper_url())
    with new_company(tmp_path) as company:
        log = open_log(chosen, company=company, site="site")

        assert verify_log(chosen, company=company) == (0, [])
        assert PASSWORD not in repr(chosen) + repr(vars(log)) + repr(vars(log._store))
        log.close()


def test_a_wrong_password_is_a_sentence_without_it(tmp_path, postgres, monkeypatch):
    """Who is refused, and nothing that was tried."""
    monkeypatch.setenv(VARIABLE, "guess-guess")
    chosen = profile(tmp_path, log=postgres.keeper_url())
    with new_company(tmp_path) as company, pytest.raises(LogUnavailable) as caught:
        open_log(chosen, company=company, site="site")

    assert "keeper" in str(caught.value)
    assert "guess" not in str(caught.value)


def test_a_missing_password_names_its_places(tmp_path, monkeypatch):
    """Before a server is asked."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    chosen = profile(tmp_path, log="postgresql://keeper@localhost/log")

    with new_company(tmp_path) as company, pytest.raises(ConfigError, match=VARIABLE):
        open_log(chosen, company=company, site="site")


def test_a_profile_without_a_company_file_has_no_place(tmp_path):
    """The sentence names the setting."""
    chosen = profile(tmp_path).model_copy(
        update={"sage": Profile.parse(PLAIN, folder=tmp_path).sage}
    )

    with new_company(tmp_path) as company, pytest.raises(ConfigError, match="company_file"):
        open_log(chosen, company=company, site="site")


PLAIN = {
    "name": "acme",
    "connectwise": {"site": "na.myconnectwise.net", "company": "acme", "client_id": "id"},
    "sage": {},
}


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("postgresql://keeper:hush-hush@host/log", "a password does not belong in a profile"),
        ("postgresql://host/log?password=hush-hush", "a password does not belong in a profile"),
        ("mysql://host/log", "postgresql://user@host/database"),
        ("postgresql://host", "postgresql://user@host/database"),
    ],
)
def test_a_wrong_place_is_named_by_its_key(tmp_path, log, words):
    """The value is never repeated."""
    with pytest.raises(ConfigError) as caught:
        profile(tmp_path, log=log)

    assert f"sage.log: Value error, {words}" in str(caught.value) or words in str(caught.value)
    assert "hush" not in str(caught.value)


def test_an_account_without_a_name_is_unknown(tmp_path, monkeypatch):
    """A service may run under a number that nobody gave a name."""

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    with new_company(tmp_path) as company:
        log = open_log(profile(tmp_path), company=company, site="site")

    assert log.actor == "unknown"
    log.close()
