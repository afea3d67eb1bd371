"""The tables of a push log; one database may hold the logs of several companies."""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 2

metadata = sa.MetaData()
meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
# How many events there are and the hash of the last one stand outside the chain: a cut-off tail shows.
logs = sa.Table(
    "logs",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("log_id", sa.Text, nullable=False, unique=True),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
)
# Who pushes; the session that signed here holds the advisory lock, or the row means nothing.
claims = sa.Table(
    "claims",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("session", sa.Integer, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("process", sa.Integer, nullable=False),
    sa.Column("since", sa.Text, nullable=False),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
documents = sa.Table(
    "documents",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, primary_key=True),
    # A refused document stays in its batch's report when a later batch takes it up again.
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
# One row per (transaction, generation, part): a transaction is in at most one document of a generation,
# and that document is alive in at most one batch.
transactions = sa.Table(
    "transactions",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("transaction", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
)
batches = sa.Table(
    "batches",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),  # of its plan: the clock is no order
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Integer),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)
OF_A_BATCH = (documents, transactions, batches)
