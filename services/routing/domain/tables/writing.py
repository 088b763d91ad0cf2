"""A rule table as its YAML file, in the form in which the shipped files are written."""

from typing import Any

import yaml

from services.routing.domain.form import Form
from services.routing.domain.tables.written import Examples, WrittenRow, WrittenTable
from services.routing.domain.texts import Texts


def yaml_of(table: WrittenTable) -> str:
    """The table as a file that is read as the same table; it has no comments."""
    content: dict[str, Any] = {
        "table": table.table,
        "version": table.version,
        "hit": table.hit,
        "owner": table.owner,
        "note": _texts(table.note),
    }
    if table.contents is not None:
        content["contents"] = list(table.contents)
    return _dumped({**content, "rows": [_row(row) for row in table.rows]})


def yaml_of_form(form: Form) -> str:
    """The questions as a file that is read as the same questions."""
    questions = [
        {"id": each.id, "text": _texts(each.text), "answered_by": _Brackets(each.answered_by)}
        for each in form.questions
    ]
    return _dumped({"version": form.version, "owner": form.owner, "questions": questions})


def _row(row: WrittenRow) -> dict[str, Any]:
    when = {name: _plain(condition) for name, condition in row.when.items()}
    content: dict[str, Any] = {"id": row.id, "when": _Braces(when)}
    if row.unless:
        content["unless"] = _Brackets(row.unless)
    content |= {"then": row.then, "reason": _texts(row.reason), "basis": row.basis}
    if row.owner is not None:
        content["owner"] = row.owner
    if row.exception is not None:
        content["exception"] = {"reason": _texts(row.exception.reason)}
    if row.examples is not None:
        content["examples"] = _examples(row.examples)
    return content


def _examples(examples: Examples) -> dict[str, Any]:
    return {
        kind: [_Braces({name: _plain(value) for name, value in each.items()}) for each in written]
        for kind, written in (("match", examples.match), ("no_match", examples.no_match))
    }


def _plain(value: Any) -> Any:
    """Text, a list of texts, or an interval's ends, each as one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return _Brackets(value)
    ends = value.model_dump(exclude_none=True)
    return _Braces({name: str(end) for name, end in ends.items()})


def _texts(texts: Texts) -> dict[str, str]:
    return {"fi": texts.fi, "sv": texts.sv, "en": texts.en}


# --- YAML ---------------------------------------------------------------------------------------


class _Brackets(list[str]):
    """A list on one line."""


class _Braces(dict[str, Any]):
    """Names and values on one line."""


class _Dumper(yaml.SafeDumper):
    """YAML in which every scalar is text, as `written.Loader` reads it, and lists are indented."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 -- PyYAML's own attribute

    def increase_indent(
        self,
        flow: bool = False,  # noqa: FBT001, FBT002 -- PyYAML's
        indentless: bool = False,  # noqa: ARG002, FBT001, FBT002 -- same
    ) -> None:
        super().increase_indent(flow, False)  # noqa: FBT003 -- same

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's
        return True


def _in_brackets(dumper: yaml.SafeDumper, data: _Brackets) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


def _in_braces(dumper: yaml.SafeDumper, data: _Braces) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)


_Dumper.add_representer(_Brackets, _in_brackets)
_Dumper.add_representer(_Braces, _in_braces)


def _dumped(content: dict[str, Any]) -> str:
    text: str = yaml.dump(
        content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000
    )
    return text
