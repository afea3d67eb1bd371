"""The push log that a profile means."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sage50kit.errors import ConfigError, LogCorrupt
from sage50kit.pushlog.log import PushLog

if TYPE_CHECKING:
    from pathlib import Path

    from sage50kit.connectors.base import Connector
    from sage50kit.profile import Profile


def open_log(profile: Profile, *, company: Connector, site: str) -> PushLog:
    """Open the push log of a company.

    Args:
        profile: says where the log is.
        company: whose log it is.
        site: the ConnectWise site, as part of every key.

    Raises:
        ConfigError: the profile names no place for a log, or its password is missing.
        LogCorrupt: it is damaged, cut, lost, older than the company knows, or of a newer version.
        LogUnavailable: it cannot be used now.
    """
    log = _opened(profile, company, site=site, remembered=company.log_id())
    try:
        if company.log_id() == log.log_id:
            log.refuse_older(company.log_mark())
    except BaseException:
        log.close()
        raise
    return log


def _opened(profile: Profile, company: Connector, *, site: str, remembered: str) -> PushLog:
    words = {"site": site, "actor": _actor(), "company": company.name}
    return PushLog(_place(profile), remembered=remembered, **words)


def why_refused(profile: Profile, *, company: Connector) -> str:
    """Why the log of a company is refused: lost, older than the company knows, another one; "" if it is not."""
    try:
        log = open_log(profile, company=company, site="")
    except LogCorrupt as error:
        return str(error)
    ours, there = company.log_id(), log.log_id
    log.close()
    if ours in ("", there):
        return ""
    return f"The company {company.name} belongs to the push log {ours}, and this is {there}."


def accept_log(profile: Profile, *, company: Connector) -> None:
    """Go on with the log as it is, or with a new one where it was lost, on a person's word.

    Raises:
        LogCorrupt: it is damaged; moved away, it counts as lost.
        PushInProgress: a push holds the company.
    """
    log = _opened(profile, company, site="", remembered="")
    try:
        with log.claim():
            old, seen = company.log_id(), company.log_mark()
            log.note("log_accepted", instead_of=old, events=seen[0], head=seen[1])
            company.adopt_log(log.log_id, mark=log.stand(), instead_of=old)
    finally:
        log.close()


def verify_log(profile: Profile, *, company: Connector) -> tuple[int, list[str]]:
    """How many events the push log of a company has, and a sentence for each thing wrong with it."""
    try:
        log = open_log(profile, company=company, site="")
    except LogCorrupt as error:
        return 0, [str(error)]
    try:
        return log.count(), log.verify()
    finally:
        log.close()


def _place(profile: Profile) -> Path | sa.URL:
    """The log belongs to the company, not to a workdir: it stands beside the company file (9.3)."""
    if profile.sage.log:
        password = profile.secret("log_password").get_secret_value()
        return sa.make_url(profile.sage.log).set(password=password)
    file = profile.sage.company_file
    if file is None:
        raise ConfigError("[sage] company_file is missing in the profile. Name the company's file.")
    return file.with_name(file.name + ".pushlog")


def _actor() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a service account without a name
        return "unknown"
