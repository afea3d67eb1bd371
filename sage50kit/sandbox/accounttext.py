"""Account numbers as the export writes them: segments joined, empty ones kept (`4001:`)."""

from __future__ import annotations


def joined(segments: tuple[str, ...], delimiter: str) -> str:
    """The segments of an account as one text.

    A second segment that is set up but empty leaves its delimiter behind; one that is not set up does not.
    """
    return delimiter.join(segments)
