"""The two systems that a kit joins, opened from a profile, and their log."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from sage50kit import outcome
from sage50kit.connectors import open_company
from sage50kit.errors import ConfigError, UsageError
from sage50kit.profile import Profile
from sage50kit.pushlog.opening import open_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sage50kit.batch.report import PushReport
    from sage50kit.batch.undone import Undone
    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise

    Progress = Callable[[str, int, int | None], None]


class Ends:
    """One ConnectWise site, one Sage 50 company and the push log between them, open until `close`."""

    def __init__(self, profile: Profile | str | Path, *, progress: Progress | None = None) -> None:
        from sage50kit.connectwise.client import Client
        from sage50kit.connectwise.site import ConnectWise

        self._open = ExitStack()
        self.profile = profile if isinstance(profile, Profile) else _load(profile, self._open)
        self._progress = progress
        self.workdir = self.profile.workdir
        request_log = _writable(self.workdir / "requests.jsonl")
        with ExitStack() as opening:  # what is open is closed again if the next thing fails
            opening.push(self._open.__exit__)
            client = Client.from_profile(self.profile, request_log=request_log)
            self.connectwise: ConnectWise = ConnectWise(self._open.enter_context(client))
            self.company: Connector = open_company(self.profile)
            self._open.callback(self.company.close)
            self.log = open_log(self.profile, company=self.company, site=self.connectwise.name)
            self._open.callback(self.log.close)
            opening.pop_all()

    def __enter__(self) -> Self:
        """Use as a context manager; `close` at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections and the log."""
        self._open.close()

    def __repr__(self) -> str:
        """Which pair this is."""
        return f"<Kit {self.profile.name}: {self.connectwise.name} to {self.company.name}>"

    @property
    def _both(self) -> dict[str, Any]:
        """Both ends and the log, as what writes to them wants them."""
        return {"company": self.company, "connectwise": self.connectwise, "log": self.log}

    def _tell(self, step: str, done: PushReport | Undone) -> None:
        outcome.record(step, batch=done.batch, status=done.status, exit_code=done.exit_code)

    def step(self, name: str) -> Callable[..., None] | None:
        """What to call with (done, of how many) while a step goes on; None when nobody listens."""
        if self._progress is None:
            return None
        progress = self._progress
        return lambda done, of=None: progress(name, done, of)


def today() -> date:
    """The day of the person at the machine."""
    return date.today()  # noqa: DTZ011  # the person's day


def day_of(value: date | str | None) -> date | None:
    """A day, as people and notebooks write it; None without one.

    Raises:
        UsageError: it is not a date.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{value!r} is not a date. Write it as 2026-10-31.") from None


def _writable(path: Path) -> Path:
    """The first file of the workdir that every verb writes.

    Raises:
        ConfigError: the folder cannot be made, or not be written; before anything is sent.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        reason = error.strerror or error
        if isinstance(error, FileExistsError | NotADirectoryError):
            reason = "there is a file where a folder is needed"
        raise ConfigError(
            f"the workdir {path.parent} cannot be written ({reason}). Correct workdir in "
            "the profile, or the rights of that folder. Nothing was sent.",
            record=str(path.parent),
        ) from error
    return path


def _load(profile: str | Path, stack: ExitStack) -> Profile:
    if str(profile) == "demo":
        from sage50kit.demo import demo_profile

        return stack.enter_context(demo_profile())
    return Profile.load(profile)
