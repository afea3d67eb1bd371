"""The durable record of every push: what was intended, what was done, what was answered."""

from sage50kit.pushlog.log import PushLog
from sage50kit.pushlog.rows import BatchState, LoggedBatch, LoggedDocument

__all__ = ["BatchState", "LoggedBatch", "LoggedDocument", "PushLog"]
