"""The query language of list paths: `conditions`, `childConditions`, `customFieldConditions`.

Grammar (ConnectWise PSA Developer Guide), words in any case::

    condition  = both { "or" both }
    both       = single { "and" single }
    single     = "(" condition ")" | field operator literal | field ["not"] "in" "(" literals ")"
               | field ["not"] ("like" | "contains") literal
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">="
    field      = name { "/" name }                      into references: company/identifier
    literal    = "text" | 'text' | number | true | false | null | [date]

A text cannot hold the kind of quote it stands in. Text compares without case; `*` stands for any text, in
`like` also `%`; `[[]` is a literal `[`. As in the database behind it, a missing value meets no condition but
`= null`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from sage50kit.sandbox.contract import contract
from sage50kit.sandbox.fields import BadQuery, FieldPath, Row, as_moment, comparable, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Test = Callable[[Row], bool]

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"[^"]*"|'[^']*')
  | (?P<moment>\[[^\[\]]*\])
  | (?P<sign><=|>=|!=|<>|=|<|>)
  | (?P<mark>[(),])
  | (?P<number>[-+]?\d+(?:\.\d+)?(?![\w/.-]))
  | (?P<word>[\w.][\w/.:-]*)
    )""",
    re.VERBOSE,
)
_DEEPEST = 50  # parentheses within parentheses


class Token(NamedTuple):
    """One word of a condition."""

    kind: str
    text: str
    at: int


@lru_cache(maxsize=512)
def compiled(text: str, model: str, parameter: str = "conditions") -> Test:
    """The test that `text` asks of each row of `model`.

    Args:
        text: what the caller sent, decoded.
        model: name of the rows' model in the contract.
        parameter: `conditions`, `childConditions` or `customFieldConditions`.

    Raises:
        BadQuery: not a condition, or a field the model does not have.
    """
    if not text.strip():
        return lambda row: True  # noqa: ARG005
    if parameter == "customFieldConditions":
        return _of_custom_fields(text)
    parser = _Parser(text, model, parameter)
    test = parser.whole()
    return _some_element(test, sorted(parser.arrays)) if parser.arrays else test


def _of_custom_fields(text: str) -> Test:
    test = _Parser(text, "CustomFieldValue", "customFieldConditions").whole()
    return lambda row: any(test(field) for field in row.get("customFields") or ())


def _some_element(test: Test, arrays: Sequence[str]) -> Test:
    """The rows of which some element of each array named meets the whole condition."""

    def meets(row: Row) -> bool:
        elements = [row.get(name) or () for name in arrays]
        choices = product(*elements)
        return any(test(row | dict(zip(arrays, choice, strict=True))) for choice in choices)

    return meets


class _Parser:
    """One pass over the words of a condition, building the test as it reads."""

    def __init__(self, text: str, model: str, parameter: str) -> None:
        self.text = text
        self.model = model
        self.parameter = parameter
        self.arrays: set[str] = set()  # arrays named, of which one element must meet everything
        self._tokens = list(self._split())
        self._next = 0
        self._depth = 0

    def _split(self) -> Iterable[Token]:
        at = 0
        while self.text[at:].strip():
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self._refused("is not expected here", self.text[at:].strip()[:20])
            yield Token(str(match.lastgroup), match[str(match.lastgroup)], match.start())
            at = match.end()

    def whole(self) -> Test:
        """The test of the whole text; nothing may be left over."""
        test = self._condition()
        if self._peek() is not None:
            raise self._unexpected("AND, OR or the end")
        return test

    def _condition(self) -> Test:
        tests = [self._both()]
        while self._word("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._word("and"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _single(self) -> Test:
        if self._mark("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._refused("has too many parentheses", "condition")
            test = self._condition()
            self._need(")")
            self._depth -= 1
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        field = self._field()
        token = self._peek()
        if token is not None and token.kind == "sign":
            self._next += 1
            return self._compared(field, token.text)
        negated = self._word("not")
        if self._word("in"):
            test = _member(field, self._literals(field))
        elif self._word("like"):
            test = _like(field, self._pattern(), _LIKE)
        elif self._word("contains"):
            test = _like(field, "*" + self._pattern() + "*", _LIKE)
        else:
            raise self._unexpected("an operator: =, !=, <, <=, >, >=, in, like, contains, not")
        return _opposite(field, test) if negated else test

    def _compared(self, field: FieldPath, sign: str) -> Test:
        value = self._literal(field)
        if value is None:
            if sign not in ("=", "!=", "<>"):
                raise self._refused("compares with = and != only", "null")
            wanted = sign == "="
            return lambda row: (field.read(row) is None) == wanted
        if sign in ("=", "!=", "<>"):
            test = _equal(field, value)
            return test if sign == "=" else _opposite(field, test)
        return _ordered(field, sign, value)

    def _field(self) -> FieldPath:
        token = self._peek()
        if token is None or token.kind != "word" or token.text.lower() in _RESERVED:
            raise self._unexpected("a field")
        self._next += 1
        field = resolve(token.text, self.model, self.parameter)
        top = contract().fields(self.model).get(field.steps[0])
        if top is not None and top.type.is_array:
            if self.parameter == "conditions":
                raise self._refused("is an array: use childConditions", token.text)
            self.arrays.add(top.name)
        return field

    def _literals(self, field: FieldPath) -> list[Any]:
        self._need("(")
        values = [self._literal(field, bare=True)]
        while self._mark(","):
            if (
                self._peek_text() == ")"
            ):  # a comma too many is common in production scripts and accepted
                break
            values.append(self._literal(field, bare=True))
        self._need(")")
        return values

    def _pattern(self) -> str:
        token = self._peek()
        if token is None or token.kind != "text":
            raise self._unexpected("a text in quotes")
        self._next += 1
        return token.text[1:-1]

    def _literal(self, field: FieldPath, *, bare: bool = False) -> Any:
        token = self._peek()
        if token is None or token.kind in ("sign", "mark"):
            raise self._unexpected("a value")
        self._next += 1
        value = self._value(token, bare=bare)
        if value is not None and not _fits(field.type, value):
            raise self._refused(
                f"does not fit the field {'/'.join(field.steps)} ({field.type})", token.text
            )
        return _as_type(field.type, value)

    def _value(self, token: Token, *, bare: bool) -> Any:
        if token.kind == "text":
            return token.text[1:-1]
        if token.kind == "number":
            return Decimal(token.text)
        if token.kind == "moment":
            return self._moment(token)
        word = token.text.lower()
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if bare:  # `unpostedProductId in (1-adjustment,)` is what a published connector sends
            return token.text
        raise self._refused("is not a value; texts stand in quotes, dates in brackets", token.text)

    def _moment(self, token: Token) -> datetime:
        moment = as_moment(token.text.strip("[]").strip())
        if moment is None:
            raise self._refused("is not a date such as [2026-10-31T00:00:00Z]", token.text)
        return moment

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _peek_text(self) -> str:
        token = self._peek()
        return token.text if token else ""

    def _word(self, word: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == "word" and token.text.lower() == word
        self._next += found
        return found

    def _mark(self, mark: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == "mark" and token.text == mark
        self._next += found
        return found

    def _need(self, mark: str) -> None:
        if not self._mark(mark):
            raise self._unexpected(f"'{mark}'")

    def _unexpected(self, expected: str) -> BadQuery:
        token = self._peek()
        where = f"'{token.text}' at position {token.at + 1}" if token else "the end"
        return BadQuery(
            self.parameter, f"{self.parameter}: found {where} where {expected} was expected."
        )

    def _refused(self, why: str, what: str) -> BadQuery:
        return BadQuery(self.parameter, f"{self.parameter}: {what} {why}.")


_RESERVED = frozenset({"and", "or", "not", "in", "like", "contains", "null"})
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_EQUAL = {"*": ".*"}
_LIKE = {"*": ".*", "%": ".*"}


def _fits(kind: str, value: Any) -> bool:
    """Whether a literal may be compared with a field of this type; texts that hold dates may be either."""
    if kind in ("int", "num"):
        return isinstance(value, Decimal)
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "datetime":
        return as_moment(value) is not None
    return kind != ""


def _as_type(kind: str, value: Any) -> Any:
    if kind == "datetime":
        return as_moment(value)
    if kind in ("str", "map", "obj") and isinstance(value, (Decimal, bool)):
        return str(value).lower()  # an unquoted number or boolean compared with a text field
    return value


def _prepared(field: FieldPath, value: Any) -> Callable[[Any], Any]:
    """How a row's value is made comparable with the literal `value`."""
    if isinstance(value, datetime) or field.type == "datetime":
        return as_moment
    return comparable


def _equal(field: FieldPath, value: Any) -> Test:
    if isinstance(value, str) and ("*" in value or "[[]" in value):
        return _like(field, value, _EQUAL)
    wanted, prepare = comparable(value), _prepared(field, value)
    if len(field.steps) == 1:
        name = field.steps[0]
        return lambda row: prepare(row.get(name)) == wanted
    return lambda row: prepare(field.read(row)) == wanted


def _member(field: FieldPath, values: list[Any]) -> Test:
    known = [value for value in values if value is not None]
    wanted = {comparable(value) for value in known}
    prepare = as_moment if known and isinstance(known[0], datetime) else comparable
    return lambda row: prepare(field.read(row)) in wanted


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _ordered(field: FieldPath, sign: str, value: Any) -> Test:
    compare, wanted, prepare = _COMPARE[sign], comparable(value), _prepared(field, value)

    def test(row: Row) -> bool:
        found = prepare(field.read(row))
        return (found is not None) and _alike(found, wanted) and compare(found, wanted)

    return test


def _alike(left: Any, right: Any) -> bool:
    return isinstance(left, str) == isinstance(right, str) and isinstance(
        left, datetime
    ) == isinstance(right, datetime)


def _opposite(field: FieldPath, test: Test) -> Test:
    return lambda row: field.read(row) is not None and not test(row)


def _like(field: FieldPath, pattern: str, wildcards: dict[str, str]) -> Test:
    matches = re.compile(_as_regex(pattern, wildcards), re.IGNORECASE | re.DOTALL).fullmatch

    def test(row: Row) -> bool:
        value = field.read(row)
        return value is not None and matches(_as_text(value)) is not None

    return test


def _as_regex(pattern: str, wildcards: dict[str, str]) -> str:
    parts = re.split(r"(\[\[\]|\*+|%+)", pattern)
    return "".join(_regex_part(part, wildcards) for part in parts)


def _regex_part(part: str, wildcards: dict[str, str]) -> str:
    if part == "[[]":
        return r"\["
    return wildcards.get(part[:1], re.escape(part)) if part[:1] in ("*", "%") else re.escape(part)


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
