"""Conditions, lists and examples as the text of a cell, and back without loss.

    yes, unknown                        one of these values, or a list of rows
    >= 3   <= 0   2..4                  a number within limits, both included
    a10: yes, level: [perus, erityis]   an example; one a line, as in the YAML files
    []   {}                             an empty list, an example that names nothing
    "a, b"                              what holds a sign of this language, `"` doubled in it

In a column of numbers `3` and `2-4` are read as limits, too.
"""

import re
from collections import deque
from collections.abc import Sequence

from services.routing.domain.tables.written import Condition, Example, Interval


class NotUnderstoodError(ValueError):
    """The cell's text is not in the form that its column has."""


# --- writing ----------------------------------------------------------------------------------

_PLAIN = re.compile(r"\w+([.-]\w+)*")
_LIKE_A_LIMIT = re.compile(r"[0-9]+([-][0-9]+)?")


def written_list(values: Sequence[str]) -> str:
    """Values with commas between them."""
    return ", ".join(map(_word, values)) or "[]"


def written_condition(condition: Condition, *, number: bool) -> str:
    """`number`: whether the column's values are numbers, so that `3` would be read as a limit."""
    if not isinstance(condition, Interval):
        return ", ".join(_value(value, number=number) for value in condition) or "[]"
    if condition.at_most is None:
        return f">= {condition.at_least}"
    if condition.at_least is None:
        return f"<= {condition.at_most}"
    return f"{condition.at_least}..{condition.at_most}"


def written_examples(examples: Sequence[Example]) -> str:
    """One example a line; empty if there is none."""
    return "\n".join(map(_example, examples))


def _example(example: Example) -> str:
    facts = [f"{_word(name)}: {_values(values)}" for name, values in example.items()]
    return ", ".join(facts) or "{}"


def _values(values: str | tuple[str, ...]) -> str:
    return _word(values) if isinstance(values, str) else f"[{', '.join(map(_word, values))}]"


def _value(value: str, *, number: bool) -> str:
    return _quoted(value) if number and _LIKE_A_LIMIT.fullmatch(value) else _word(value)


def _word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# --- reading ----------------------------------------------------------------------------------

_LIMITS = (
    re.compile(r"(?:>=|≥)\s*(?P<low>-?[0-9]{1,18})"),
    re.compile(r"(?:<=|≤)\s*(?P<high>-?[0-9]{1,18})"),
    re.compile(r"(?P<low>-?[0-9]{1,18})\s*(?:\.\.|…)\s*(?P<high>-?[0-9]{1,18})"),
)
_NUMBERS = (
    re.compile(r"(?P<low>[0-9]{1,18})\s*[-–]\s*(?P<high>[0-9]{1,18})"),
    re.compile(r"(?P<low>(?P<high>[0-9]{1,18}))"),
)


def read_list(text: str) -> tuple[str, ...]:
    """The values of a cell that is not empty. Raises `NotUnderstoodError`."""
    told = _Told(text)
    values = told.bracketed() if told.has("[") else told.values(",", ";", "\n")
    told.end()
    return values


def read_condition(text: str, *, number: bool) -> Condition:
    """The condition of a cell that is not empty. Raises `NotUnderstoodError`."""
    for form in (*_LIMITS, *(_NUMBERS if number else ())):
        if found := form.fullmatch(text.strip()):
            ends = found.groupdict()
            low, high = ends.get("low"), ends.get("high")
            return Interval(
                at_least=None if low is None else int(low),
                at_most=None if high is None else int(high),
            )
    return read_list(text)


def read_examples(text: str) -> tuple[Example, ...]:
    """The examples of a cell that is not empty, one a line. Raises `NotUnderstoodError`."""
    told = _Told(text)
    if told.take("["):
        told.need("]")
        told.end()
        return ()
    examples: list[Example] = []
    while True:
        while told.take("\n"):
            pass
        if told.ended:
            return tuple(examples)
        examples.append(told.example())
        if not told.ended:
            told.need("\n")


_SIGN = re.compile(r'"(?:[^"]|"")*"|[,;:=\n\[\]{}]|[^",;:=\n\[\]{}]+')
_SIGNS = ",;:=\n[]{}"
_WORD = ""
"""What stands in place of a sign where there is a word."""


class _Told:
    """The signs and words of a cell, taken from its beginning."""

    def __init__(self, text: str) -> None:
        self._left: deque[tuple[str, str]] = deque()
        at = 0
        while at < len(text):
            found = _SIGN.match(text, at)
            if found is None:  # a quotation mark that is not closed
                raise NotUnderstoodError(text)
            at, piece = found.end(), found.group()
            if piece.startswith('"'):
                self._left.append((_WORD, piece[1:-1].replace('""', '"')))
            elif piece in _SIGNS:
                self._left.append((piece, ""))
            elif piece.strip():
                self._left.append((_WORD, piece.strip()))

    @property
    def ended(self) -> bool:
        return not self._left

    def has(self, *signs: str) -> bool:
        return bool(self._left) and self._left[0][0] in signs

    def take(self, *signs: str) -> bool:
        found = self.has(*signs)
        if found:
            self._left.popleft()
        return found

    def need(self, *signs: str) -> None:
        if not self.take(*signs):
            raise NotUnderstoodError(signs[0])

    def end(self) -> None:
        if self._left:
            raise NotUnderstoodError(self._left[0])

    def word(self) -> str:
        if not self.has(_WORD):
            raise NotUnderstoodError("a word")
        return self._left.popleft()[1]

    def values(self, *between: str) -> tuple[str, ...]:
        """One word or several, with one of these signs between two."""
        found = [self.word()]
        while self.take(*between):
            found.append(self.word())
        return tuple(found)

    def bracketed(self) -> tuple[str, ...]:
        self.need("[")
        if self.take("]"):
            return ()
        found = self.values(",", ";")
        self.need("]")
        return found

    def example(self) -> Example:
        """Facts up to the end of the line, with or without braces around them."""
        braced = self.take("{")
        facts: Example = {}
        while not (self.ended or self.has("\n", "}")):
            name = self.word()
            self.need(":", "=")
            if name in facts:
                raise NotUnderstoodError(name)
            facts[name] = self.bracketed() if self.has("[") else self.word()
            if not self.take(",", ";"):
                break
        if braced:
            self.need("}")
        if not (facts or braced):
            raise NotUnderstoodError("a fact")
        return facts
