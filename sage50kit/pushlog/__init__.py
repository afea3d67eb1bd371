"""The durable record of every push: what was intended, what was done, what was answered."""

from sage50kit.pushlog.log import (
    BatchState,
    DocumentState,
    LoggedBatch,
    LoggedDocument,
    PushLog,
)

__all__ = ["BatchState", "DocumentState", "LoggedBatch", "LoggedDocument", "PushLog"]
