"""The durable record of every push: what was intended, what was done, what was answered."""

from sage50kit.pushlog.log import PushLog
from sage50kit.pushlog.rows import ENDED, UNSENT, BatchState, LoggedBatch, LoggedDocument

__all__ = ["ENDED", "UNSENT", "BatchState", "LoggedBatch", "LoggedDocument", "PushLog"]
