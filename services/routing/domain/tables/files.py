"""A file of rules as plain YAML, and what is out of form in it, as faults with row and place.

Whatever a file holds, the answer is its content or a fault. Before anything is built of it, it is
gone through event by event: people who write rules need no aliases, no tags and no deep nesting,
and with these a small file can fill the memory or end the process.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from services.routing.domain.tables.faults import WHOLE, Fault, TablesRefusedError

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 12  # a row of the tables is six deep
_LONGEST: Final = 60  # characters of what somebody wrote that a message repeats


class _Twice(yaml.constructor.ConstructorError):
    pass


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which every scalar is text (yes stays yes) and no key may stand twice."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 -- PyYAML's own attribute

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 -- PyYAML's
    ) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "no name", key.start_mark)
            name = self.construct_object(key)
            if name in seen:
                raise _Twice(None, None, repr(name), key.start_mark)
            seen.add(name)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def content_of(path: Path, file: str) -> Any:
    """What a file says. Raises `TablesRefusedError` where it is no plain YAML."""
    written = path.read_bytes()
    if len(written) > MAX_BYTES:
        raise _refused(file, "too-long-file", limit=f"{MAX_BYTES // 1_000_000} MB")
    try:
        text = written.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(file, "not-utf-8") from None
    try:
        _look_through(text, file)
        return yaml.load(text, Loader)  # noqa: S506 -- it is safe
    except _Twice as error:
        place = ":".join(map(str, _place(error, text)))
        raise _refused(file, "twice", key=_short(error.problem), place=place) from None
    except yaml.YAMLError as error:
        raise _unreadable(error, text, file) from None


def _look_through(text: str, file: str) -> None:
    """Raises for what no rules need."""
    depth = 0
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if not isinstance(event, yaml.NodeEvent):
            continue
        depth += isinstance(event, yaml.CollectionStartEvent)
        mark: Any = event.start_mark
        place = f"{mark.line + 1}:{mark.column + 1}"
        if event.anchor or getattr(event, "tag", None):
            raise _refused(file, "not-plain", place=place)
        if depth > MAX_DEPTH:
            raise _refused(file, "too-deep", place=place)


def _unreadable(error: yaml.YAMLError, text: str, file: str) -> TablesRefusedError:
    place = _place(error, text)
    line = text.splitlines()[place[0] - 1 : place[0]]
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return _refused(file, "tab", place=f"{place[0]}")
    return _refused(file, "not-readable", place=":".join(map(str, place)))


def _place(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    """Line and character, from 1."""
    if mark := getattr(error, "problem_mark", None):
        return mark.line + 1, mark.column + 1
    before = text[: getattr(error, "position", 0)]  # of a character that YAML does not allow
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _refused(file: str, kind: str, **names: str) -> TablesRefusedError:
    return TablesRefusedError([Fault(kind, file, names=names)])


# --- what is out of form --------------------------------------------------------------------------

_FORM: Final[Mapping[str, str]] = {
    "missing": "form-missing",
    "extra_forbidden": "form-unknown",
    "string_too_short": "form-empty",
    "string_too_long": "form-long",
    "string_type": "form-text",
    "string_pattern_mismatch": "form-name",
    "literal_error": "form-choice",
    "dict_type": "form-mapping",
    "model_type": "form-mapping",
    "tuple_type": "form-list",
    "too_short": "form-nothing",
    "int_parsing": "form-whole",
    "int_parsing_size": "form-whole",
    "int_type": "form-whole",
    "float_parsing": "form-number",
    "float_type": "form-number",
    "finite_number": "form-number",
    "greater_than_equal": "form-at-least",
    "less_than_equal": "form-at-most",
    "date_from_datetime_parsing": "form-day",
    "date_parsing": "form-day",
    "date_type": "form-day",
}
"""Which sentence says what pydantic found."""
_LISTS: Final = ("rows", "questions")
"""What a file has many of, each with its id."""


def faults_of_form(error: ValidationError, content: Any, file: str) -> Iterator[Fault]:
    """What pydantic found, as faults with row and place."""
    told: set[tuple[str | None, str]] = set()
    for problem in error.errors(include_url=False):
        place, row = list(problem["loc"]), None
        if place[:1] and place[0] in _LISTS and len(place) > 1 and isinstance(place[1], int):
            row, place = _row_name(content[place[0]], place[1]), place[2:]
        words = _words(place)
        where = ".".join(words)
        if (row, where) not in told:
            told.add((row, where))
            names = {"place": where or WHOLE, **_named(problem)}
            yield Fault(_form_of(problem, words), file, row, names)


def _words(place: Sequence[str | int]) -> list[str]:
    """A place as people count; of what may be one thing or another only what they have in common.

    pydantic tries the kinds of a condition, and of an example's value, one after the other: what
    it says of each is not what is wrong.
    """
    parts = [part for part in place if part != "[key]"]
    words = [f"{part + 1}" if isinstance(part, int) else _short(part) for part in parts]
    if words[:1] == ["when"]:
        return words[:2]
    return words[:4] if words[:1] == ["examples"] else words


def _named(problem: Mapping[str, Any]) -> dict[str, str]:
    context = problem.get("ctx", {})
    return {
        "problem": problem["msg"],
        "value": _short(problem["input"]),
        "known": choices(problem),
        "limit": str(context.get("ge", context.get("le", ""))),
    }


def choices(problem: Mapping[str, Any]) -> str:
    """What a word could have been, with commas."""
    expected = str(problem.get("ctx", {}).get("expected", ""))
    return expected.replace("'", "").replace(" or ", ", ")


def _form_of(problem: Mapping[str, Any], place: Sequence[str]) -> str:
    if problem["input"] in (None, "") and problem["type"] != "extra_forbidden":
        return "form-missing" if problem["type"] == "missing" else "form-empty"
    if place[:1] == ["when"] and len(place) > 1:
        return "form-condition"
    if place[:1] == ["examples"] and len(place) > 2:  # examples.match.1
        return "form-example"
    return _FORM.get(problem["type"], "form-other")


def _row_name(rows: Any, position: int) -> str:
    row = rows[position]
    name = row.get("id") if isinstance(row, dict) else None
    return _short(name) if isinstance(name, str) and name else f"{position + 1}"


def _short(value: object) -> str:
    """What somebody wrote, as far as a message repeats it."""
    text = str(value) if isinstance(value, (str, int, float)) else "…"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
