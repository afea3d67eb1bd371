"""What can go wrong in a run, grouped by what the person does next.

Sage50KitError                 base; the docstring is the default message
├─ UsageError                  the command was called wrongly
├─ ConfigError                 fix the profile or the keys; nothing was sent
│  └─ MissingDependency        install the extra (also an ImportError)
├─ ConnectWiseError            .status, .url, .detail
│  ├─ NotAuthorized            keys or rights
│  ├─ ConnectWiseUnavailable   try again later (Transient)
│  ├─ ConnectWiseRejected      ConnectWise read the request and refused it
│  │  └─ NotFound              the record, the site or the company id does not exist
│  └─ ConnectWiseUnreadable    the answer is not what the contract says
├─ CompanyError              the Sage 50 company could not do what was asked
│  ├─ CompanyUnavailable       open elsewhere, locked, access not granted (Transient)
│  ├─ DocumentRefused          the company refused this document; nothing was written
│  └─ OutcomeUnknown           look in Sage 50, then tell the kit
├─ PlanError                 the plan cannot be carried out
│  ├─ PlanBlocked              .issues: fix the rows, plan again
│  ├─ UnbalancedDocument       debits and credits differ
│  ├─ ContentChanged           posted before with other content; review
│  └─ BatchTaken               the batch number belongs to something else
├─ InDoubt                     an intent is open; run resume
├─ PushInProgress              another push holds this company
├─ LogCorrupt                  the push log was changed, cut or written by a newer version
├─ LogUnavailable              the push log cannot be used now: disk, rights, lock, server (Transient)
└─ ModuleError                 .module: which plugin, which hook

Transient                      mix-in: repeating may help (a GET, or after settling)

Findings about *data* are rows, not exceptions: see issues.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sage50kit.issues import Issue


class Sage50KitError(Exception):
    """Something went wrong in the kit."""

    exit_code: ClassVar[int] = 1
    # What to do, for programs; the message says it to people, with names and numbers.
    fix: str = "report it to the makers of sage50kit with this sentence"

    def __init__(self, message: str = "", *, record: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.record = record  # the key, number or file that it is about

    def details(self) -> dict[str, object]:
        """The error as plain data."""
        name = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        return {"code": name, "sentence": str(self), "fix": self.fix, "record": self.record}

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the sentence; where it was raised helps nobody who reads a page."""
        return [f"{type(self).__name__}: {self}"]


class Transient:
    """Repeating may help."""


class UsageError(Sage50KitError):
    """The command was called wrongly."""

    exit_code = 2
    fix = "correct the command as the sentence says; see also sage50kit --help"


class ConfigError(Sage50KitError):
    """The profile or its keys need a correction; nothing was sent."""

    exit_code = 2
    fix = "correct the profile or its keys, then run it again; sage50kit doctor checks them"


class MissingDependency(ConfigError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, *, needed_by: str, extra: str) -> None:
        super().__init__(
            f"{needed_by} needs the package {package}. Install it: pip install 'sage50kit[{extra}]'"
        )


class ConnectWiseError(Sage50KitError):
    """ConnectWise could not answer."""

    fix = "run it again; if it says the same, ask ConnectWise support"

    def __init__(
        self, message: str = "", *, status: int = 0, url: str = "", detail: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.url = url
        self.detail = detail


class NotAuthorized(ConnectWiseError):
    """ConnectWise refused the keys, or the member's security role lacks a right."""

    exit_code = 2
    fix = "correct the keys or the rights of their member; sage50kit doctor checks them"


class ConnectWiseUnavailable(ConnectWiseError, Transient):
    """ConnectWise is not reachable or too busy; try again later."""

    fix = "run it again later"
    sent = False  # whether a write may have been carried out although no answer came


class ConnectWiseRejected(ConnectWiseError):
    """ConnectWise read the request and refused it."""


class NotFound(ConnectWiseRejected):
    """ConnectWise has no such record, site or company id."""

    exit_code = 2
    fix = "correct site and company in the profile, or name a record that is there"


class ConnectWiseUnreadable(ConnectWiseError):
    """The answer of ConnectWise is not what its contract says."""


class CompanyError(Sage50KitError):
    """The Sage 50 company could not do what was asked."""

    fix = "put right in Sage 50 what the sentence names, then run it again"


class CompanyUnavailable(CompanyError, Transient):
    """The Sage 50 company is open elsewhere, locked, or access was not granted."""

    fix = "close other programs that have the company open, then run it again"


class DocumentRefused(CompanyError):
    """The company refused this document; nothing was written."""


class OutcomeUnknown(CompanyError):
    """Nobody can tell whether the document is in the books; look in Sage 50, then tell the kit."""

    exit_code = 5
    fix = "look in Sage 50, then: sage50kit resume --document KEY --posted NUMBER, or --not-posted"


class PlanError(Sage50KitError):
    """The plan cannot be carried out."""

    exit_code = 4
    fix = "plan again"


class PlanBlocked(PlanError):
    """Validation found something that blocks the batch; nothing was written."""

    def __init__(self, message: str = "", *, issues: Sequence[Issue] = ()) -> None:
        blocking = [row for row in issues if row.severity == "block"]
        super().__init__(message, record=blocking[0].key if blocking else "")
        self.issues = tuple(issues)
        self.fix = blocking[0].fix if blocking else self.fix


class UnbalancedDocument(PlanError):
    """Debits and credits of a document differ."""


class ContentChanged(PlanError):
    """This transaction was posted before with other content."""


class BatchTaken(PlanError):
    """The batch number is already taken."""

    fix = "take another batch number"


class InDoubt(Sage50KitError):
    """An intent is open: run `sage50kit resume`."""

    exit_code = 5
    fix = "run: sage50kit resume"


class PushInProgress(Sage50KitError):
    """Another push holds this company."""

    exit_code = 6
    fix = "wait until it has ended, then run it again"

    def __init__(self, message: str = "", *, holder: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.holder = dict(holder or {})  # actor, machine, process, since; empty if nobody knows

    def details(self) -> dict[str, object]:
        """The error as plain data, with who holds the company."""
        return {**super().details(), "holder": self.holder}


class LogCorrupt(Sage50KitError):
    """The push log was changed, cut off, lost, or written by a newer version; nothing was pushed."""

    exit_code = 2
    fix = "restore the push log from a backup; sage50kit log verify shows what is wrong with it"


class LogUnavailable(Sage50KitError, Transient):
    """The push log cannot be used now; what was recorded stays."""

    fix = "put right what the sentence names, then run it again"


class ModuleError(Sage50KitError):
    """A module failed."""

    def __init__(self, message: str = "", *, module: str = "") -> None:
        super().__init__(message)
        self.module = module
