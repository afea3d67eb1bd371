"""What bodies of ConnectWise hold: exact numbers, and line breaks where JSON has none.

Source: connectwise reference, 4 and 11.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

from sage50kit.connectwise.answers import unreadable
from sage50kit.errors import UsageError

# Raw control characters: blanks between values, and what ConnectWise makes of them inside a text.
_BLANKS = bytes.maketrans(bytes(range(32)), b" " * 32)
_BOM = b"\xef\xbb\xbf"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Row(msgspec.Struct):
    """Only what paging needs of a row; the rest is skipped, but must be JSON."""

    id: Any = None


_ROWS = msgspec.json.Decoder(list[_Row])
_SINGLE = msgspec.json.Decoder(_Row)


def parsed(content: bytes, path: str) -> Any:
    """The JSON of a body with exact decimals; None for an empty one.

    Raises:
        ConnectWiseUnreadable: it is not JSON, such as a proxy's page.
    """
    if not content.strip():
        return None
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_float=Decimal, parse_constant=_no_such_number, strict=False)
    except (ValueError, RecursionError) as error:
        raise unreadable(path, f"it begins with {_beginning(content)!r}") from error


def page_as_sent(content: bytes) -> bool:
    """Whether a page is to all appearance a whole list without raw line breaks; costs next to nothing."""
    whole = content[:1] == b"[" and content[-1:] == b"]"
    return whole and not any(blank in content for blank in (b"\n", b"\r", b"\t"))


def row_ids(content: bytes) -> list[Any]:
    """The ids of the rows of a page, None for a row without; reads every byte of it.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it is not strict JSON, or not a list of records.
    """
    return [row.id for row in _ROWS.decode(content)]


def readable_page(content: bytes, path: str) -> bytes:
    """A page as strict JSON; untouched where it was strict already.

    An empty body is no rows, a single record a list of one (connectwise reference, 11.1).

    Raises:
        ConnectWiseUnreadable: cut off, not JSON, or not a list of records.
    """
    if _is_strict(content):
        return content
    cleaned = content.removeprefix(_BOM).translate(_BLANKS).strip()
    if cleaned in (b"", b"null"):
        return b"[]"
    if cleaned.startswith(b"{") and _is_record(cleaned):
        cleaned = b"[" + cleaned + b"]"
    if _is_strict(cleaned):
        return cleaned
    what = f"not a whole list of records, it begins with {_beginning(content)!r}"
    raise unreadable(path, what)


def _is_strict(content: bytes) -> bool:
    try:
        _ROWS.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _is_record(content: bytes) -> bool:
    """Whether this is a record with its id; an error has none."""
    try:
        return _SINGLE.decode(content).id is not None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def encoded(body: object) -> bytes:
    """A body to send; amounts leave as exact JSON numbers, dates as ISO text.

    Raises:
        UsageError: it holds something that is not JSON, or an infinite number.
    """
    try:
        return _ENCODER.encode(body)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise UsageError(f"this cannot be sent to ConnectWise: {error}") from error


def _beginning(content: bytes) -> str:
    return content[:60].decode(errors="replace")


def _no_such_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")
