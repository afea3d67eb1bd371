"""What verbs that push leave on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sage50kit.batch.report import PushReport
    from sage50kit.kit import Kit


def saved(kit: Kit, reports: Sequence[PushReport]) -> tuple[list[Path], str]:
    """Write the reports of pushes that are done; returns the files, and a sentence for those that failed.

    A full disk makes no push undone: the verb ends as the push did.
    """
    from sage50kit.reports.files import push_files, write_whole

    files: list[Path] = []
    lost: list[str] = []
    for report in reports:
        for path, content in push_files(report, kit.log.events(report.batch), kit.workdir):
            try:
                files.append(write_whole(path, content))
            except OSError as error:
                lost.append(f"{path} ({error.strerror})")
    return files, _unwritten(lost)


def _unwritten(lost: Sequence[str]) -> str:
    if not lost:
        return ""
    return (
        f"these reports could not be written: {', '.join(lost)}. What was pushed stays pushed, and the "
        "push log has all of it. Put this right, then push the same batch again: it only writes them."
    )
