"""The durable record of every push: what was intended, what was done, what was answered."""

from sage50kit.pushlog.log import (
    BatchState,
    LoggedBatch,
    LoggedDocument,
    PushLog,
)

__all__ = [
    "BatchState",
    "LoggedBatch",
    "LoggedDocument",
    "PushLog",
]
