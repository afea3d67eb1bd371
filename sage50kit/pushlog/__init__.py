"""The durable record of every push: what was intended, what was done, what was answered."""

from sage50kit.pushlog.log import (
    ARRIVED,
    ONCE_POSTED,
    BatchState,
    DocumentState,
    LoggedBatch,
    LoggedDocument,
    PushLog,
)

__all__ = [
    "ARRIVED",
    "ONCE_POSTED",
    "BatchState",
    "DocumentState",
    "LoggedBatch",
    "LoggedDocument",
    "PushLog",
]
