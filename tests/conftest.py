"""What more than one file of tests shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server; a machine that cannot start it fails these tests loudly."""
    with running_postgres() as server:
        yield server
