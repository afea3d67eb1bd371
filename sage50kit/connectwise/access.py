"""As whom the client signs in: with an API key, as itself or as another member, or with an integrator login.

Source: connectwise reference, 1.2.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sage50kit.errors import ConfigError, NotAuthorized, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from sage50kit.profile import ConnectWiseSettings, Profile

MARGIN = timedelta(minutes=2)  # a token is renewed so long before it ends


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its secret: API key pair, or integrator login."""

    user: str
    secret: SecretStr

    @classmethod
    def of(cls, profile: Profile) -> Credentials:
        """The credentials of a profile, from the environment or the keyring."""
        if profile.connectwise.auth == "api_key":
            user, secret = profile.secret("public_key"), profile.secret("private_key")
        else:
            user, secret = profile.secret("integrator_user"), profile.secret("integrator_password")
        return cls(user.get_secret_value(), secret)


class Access:
    """The Authorization header, renewed where it is a token that ends.

    Args:
        credentials: what the profile has.
        settings: whether to impersonate, and whom.
        post: (path, body, headers) -> JSON; sends one unsigned POST.
        now: the clock; tests pass their own.
    """

    def __init__(
        self,
        credentials: Credentials,
        settings: ConnectWiseSettings,
        post: Callable[[str, object, dict[str, str]], Any],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if settings.auth == "impersonation" and not settings.member:
            raise ConfigError(
                "[connectwise] member is missing: impersonation needs the member's id."
            )
        self._credentials = credentials
        self._settings = settings
        self._has_token = settings.auth == "impersonation" or bool(settings.member)
        self._post = post
        self._now = now
        self._lock = threading.Lock()
        self._token: tuple[str, datetime] | None = None

    def __repr__(self) -> str:
        """Never a key."""
        return f"<Access {self._settings.auth}>"

    def header(self) -> str:
        """The value of Authorization, renewed in time; one renewal at a time."""
        if not self._has_token:
            return self._basic(self._credentials.user, self._credentials.secret.get_secret_value())
        with self._lock:
            if self._token is None or self._token[1] - MARGIN <= self._now():
                self._token = self._new_token()
            return self._token[0]

    def forget(self, refused: str) -> bool:
        """After a 401 to the header `refused`; whether the next header will be another one.

        A token that another thread has renewed in the meantime is kept.
        """
        if not self._has_token:
            return False
        with self._lock:
            if self._token is not None and self._token[0] == refused:
                self._token = None
        return True

    def _new_token(self) -> tuple[str, datetime]:
        member = self._settings.member
        login = self._basic(self._credentials.user, self._credentials.secret.get_secret_value())
        caller = "member" if self._settings.auth == "api_key" else "integrator"
        headers = {"Authorization": login, "x-cw-usertype": caller}
        path = f"/system/members/{quote(member, safe='')}/tokens"
        try:
            answer = self._post(path, {"memberIdentifier": member}, headers)
            public, private = answer["publicKey"], answer["privateKey"]
        except (NotAuthorized, NotFound) as error:
            raise type(error)(
                self._no_token(error.detail),
                status=error.status,
                url=error.url,
                detail=error.detail,
            ) from error
        except (KeyError, TypeError):
            raise NotAuthorized(self._no_token("the answer has no keys")) from None
        return self._basic(public, private), self._until(answer.get("expiration"))

    def _no_token(self, reason: str) -> str:
        site, member = self._settings.site, self._settings.member
        if self._settings.auth == "api_key":
            check = "the keys, and that their role has Add on System > Member Maintenance"
        else:
            check = "the integrator login and its password, and that Member API is enabled for it"
        return (
            f"{site} gave no token for member {member!r} ({reason.rstrip('.')}). Check {check}; and member "
            "under [connectwise] in the profile."
        )

    def _until(self, text: object) -> datetime:
        """When a token ends; one without a readable time is used for an hour."""
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError:
            return self._now() + timedelta(hours=1)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _basic(self, user: str, secret: str) -> str:
        plain = f"{self._settings.company}+{user}:{secret}"
        return "Basic " + base64.b64encode(plain.encode()).decode()
