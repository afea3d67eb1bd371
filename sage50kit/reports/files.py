"""What a run leaves on disk: each file whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sage50kit.reports import csv, excel, html, text
from sage50kit.reports.listings import blocked_page, proof_page, push_page, verification_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from sage50kit.reports.listings import ProofLike, PushReportLike, VerificationLike
    from sage50kit.reports.page import Page

    File = tuple[Path, bytes]  # where, and its whole content

_SECRET = re.compile(
    r"password|secret|private|authorization|token_value|api_?key|credential", re.IGNORECASE
)


# Windows keeps these names for devices, whatever ending they have.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name, then move it into place; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def batch_folder(workdir: Path, batch: str) -> Path:
    """The folder of a batch, its own also where its number holds characters that a file name may not."""
    name = re.sub(r"[^\w.-]+", "_", batch).strip("._") or "batch"
    if name != batch or _DEVICE.fullmatch(name):
        name = f"{name}-{hashlib.sha256(batch.encode()).hexdigest()[:6]}"
    return workdir / "batches" / name


def page_files(page: Page, folder: Path, name: str) -> list[File]:
    """The page as `name`.txt, .html and .xlsx, not written yet."""
    return [
        (folder / f"{name}.txt", text.render(page).encode()),
        (folder / f"{name}.html", html.document(page).encode()),
        (folder / f"{name}.xlsx", excel.workbook(page)),
    ]


def error_files(issues: pd.DataFrame, page: Page, folder: Path) -> list[File]:
    """The findings as CSV, and as a page to read, not written yet."""
    return [
        (folder / "errors.csv", csv.render(issues)),
        (folder / "errors.html", html.document(page).encode()),
    ]


def save_page(page: Page, folder: Path, name: str) -> list[Path]:
    """The page as `name`.txt, .html and .xlsx; returns where they are."""
    return [write_whole(*file) for file in page_files(page, folder, name)]


def save_errors(issues: pd.DataFrame, page: Page, folder: Path) -> list[Path]:
    """*Save list of errors*: the findings as CSV, and as a page to read."""
    return [write_whole(*file) for file in error_files(issues, page, folder)]


def save_full_log(events: Iterable[Mapping[str, object]], folder: Path) -> Path:
    """*Save full log*: every event as one line of JSON, without secrets."""
    return write_whole(*_full_log(events, folder))


def _full_log(events: Iterable[Mapping[str, object]], folder: Path) -> File:
    lines = [json.dumps(_public(event), ensure_ascii=False, default=str) for event in events]
    return folder / "log.jsonl", "".join(f"{line}\n" for line in lines).encode()


def save_proof(proof: ProofLike, workdir: Path) -> list[Path]:
    """The proof listing of a batch."""
    return save_page(proof_page(proof), batch_folder(workdir, proof.plan.batch), "proof")


def push_files(
    report: PushReportLike, events: Iterable[Mapping[str, object]], workdir: Path
) -> list[File]:
    """The report of a push, its list of errors and its full log, not written yet."""
    folder, page = batch_folder(workdir, report.batch), push_page(report)
    return [
        *page_files(page, folder, "push"),
        *error_files(report.issues, page, folder),
        _full_log(events, folder),
    ]


def save_push(
    report: PushReportLike, events: Iterable[Mapping[str, object]], workdir: Path
) -> list[Path]:
    """The report of a push, its list of errors and its full log."""
    return [write_whole(*file) for file in push_files(report, events, workdir)]


def save_blocked(batch: str, issues: pd.DataFrame, workdir: Path) -> list[Path]:
    """The findings that stopped a batch."""
    return save_errors(issues, blocked_page(batch, issues), batch_folder(workdir, batch))


def save_verification(verification: VerificationLike, workdir: Path) -> list[Path]:
    """The comparison of both systems."""
    folder = batch_folder(workdir, verification.batch)
    return save_page(verification_page(verification), folder, "verification")


def _public(value: object) -> object:
    """The same value; what stands under a name that sounds like a secret is withheld."""
    if isinstance(value, dict):
        return {
            key: "(withheld)" if _SECRET.search(str(key)) else _public(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_public(item) for item in value]
    return value
