"""Ways to a Sage 50 company: one contract (`base.Connector`), chosen by the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.errors import ConfigError

if TYPE_CHECKING:
    from sage50kit.connectors.base import Connector
    from sage50kit.profile import Profile

CONNECTORS = ("embedded",)  # what this version has


def open_company(profile: Profile) -> Connector:
    """The company that a profile names.

    Raises:
        ConfigError: the connector or the company file is missing or wrong.
    """
    wanted = profile.sage.connector
    if wanted != "embedded":
        raise ConfigError(
            f"profile {profile.name}: this version has the connectors {', '.join(CONNECTORS)}, not "
            f"{wanted}. Set connector in [sage] to one of them."
        )
    if profile.sage.company_file is None:
        raise ConfigError(
            f"profile {profile.name}: set company_file in [sage] to the company file."
        )
    from sage50kit.connectors.embedded import EmbeddedCompany

    return EmbeddedCompany(profile.sage.company_file)
