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

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.issues import Issue


class Sage50KitError(Exception):
    """Something went wrong in the kit."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the sentence; where it was raised helps nobody who reads a page."""
        return [f"{type(self).__name__}: {self}"]


class Transient:
    """Repeating may help."""


class UsageError(Sage50KitError):
    """The command was called wrongly."""

    exit_code = 2


class ConfigError(Sage50KitError):
    """The profile or its keys need a correction; nothing was sent."""

    exit_code = 2


class MissingDependency(ConfigError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, *, needed_by: str, extra: str) -> None:
        super().__init__(
            f"{needed_by} needs the package {package}. Install it: pip install 'sage50kit[{extra}]'"
        )


class ConnectWiseError(Sage50KitError):
    """ConnectWise could not answer."""

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


class ConnectWiseUnavailable(ConnectWiseError, Transient):
    """ConnectWise is not reachable or too busy; try again later."""

    sent = False  # whether a write may have been carried out although no answer came


class ConnectWiseRejected(ConnectWiseError):
    """ConnectWise read the request and refused it."""


class NotFound(ConnectWiseRejected):
    """ConnectWise has no such record, site or company id."""

    exit_code = 2


class ConnectWiseUnreadable(ConnectWiseError):
    """The answer of ConnectWise is not what its contract says."""


class CompanyError(Sage50KitError):
    """The Sage 50 company could not do what was asked."""


class CompanyUnavailable(CompanyError, Transient):
    """The Sage 50 company is open elsewhere, locked, or access was not granted."""


class DocumentRefused(CompanyError):
    """The company refused this document; nothing was written."""


class OutcomeUnknown(CompanyError):
    """Nobody can tell whether the document is in the books; look in Sage 50, then tell the kit."""

    exit_code = 5


class PlanError(Sage50KitError):
    """The plan cannot be carried out."""

    exit_code = 4


class PlanBlocked(PlanError):
    """Validation found something that blocks the batch; nothing was written."""

    def __init__(self, message: str = "", *, issues: Sequence[Issue] = ()) -> None:
        super().__init__(message)
        self.issues = tuple(issues)


class UnbalancedDocument(PlanError):
    """Debits and credits of a document differ."""


class ContentChanged(PlanError):
    """This transaction was posted before with other content."""


class BatchTaken(PlanError):
    """The batch number is already taken."""


class InDoubt(Sage50KitError):
    """An intent is open: run `sage50kit resume`."""

    exit_code = 5


class PushInProgress(Sage50KitError):
    """Another push holds this company."""

    exit_code = 6


class LogCorrupt(Sage50KitError):
    """The push log was changed, cut off, or written by a newer version; nothing was pushed."""


class LogUnavailable(Sage50KitError, Transient):
    """The push log cannot be used now; what was recorded stays."""


class ModuleError(Sage50KitError):
    """A module failed."""

    def __init__(self, message: str = "", *, module: str = "") -> None:
        super().__init__(message)
        self.module = module
