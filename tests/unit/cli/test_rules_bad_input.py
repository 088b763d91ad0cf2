"""Whatever somebody writes into a file of rules: one clear message, in three languages."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from deploy.cli.__main__ import main
from deploy.cli.rules import SHIPPED
from services.routing.domain.tables.files import MAX_BYTES
from services.routing.domain.tables.written import in_order
from shared.events import Language
from tests.earlier_rules import copy_with_numbers

Told = pytest.CaptureFixture[str]
Written = Callable[[str], str | bytes]
KINDS = ("level", "questions", "settings", "shares")
PYDANTIC = ("Input should", "should be", " valid ", "pydantic", "Traceback")


def newest_of(rules: Path, kind: str) -> Path:
    return max((rules / kind).glob("*.yaml"), key=in_order)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with_numbers(tmp_path_factory.mktemp("copied") / "rules")


def check(rules: Path, language: str, capsys: Told) -> tuple[int, str]:
    code = main(["rules", "check", str(rules), "--without-shares", "--language", language])
    return code, capsys.readouterr().out


def told_of(rules: Path, kind: str, written: Written, capsys: Told) -> tuple[str, str]:
    """The file, and what is told of it in English once it is written so.

    In every language it is refused with the file's name, and never in the words of a library.
    """
    path = newest_of(rules, kind)
    before = path.read_bytes()
    content = written(before.decode("utf-8"))
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        told = {language: check(rules, language, capsys) for language in get_args(Language)}
    finally:
        path.write_bytes(before)
    file = f"{kind}/{path.name}"
    for code, text in told.values():
        assert (1, True) == (code, text.startswith(file)), text
        assert not any(word in text for word in PYDANTIC), text
    kept = {text.splitlines()[-1] for _, text in told.values()}
    assert len(kept) == len(told)  # that the live version stays in force
    assert len({text for _, text in told.values()}) == len(told)
    return file, told["en"][1]


def put(old: str, new: str) -> Written:
    def change(text: str) -> str:
        assert old in text, "the mistake must hit the shipped file"
        return text.replace(old, new, 1)

    return change


def owned(by: str) -> Written:
    return put("owner: ", f"owner: {by} #")


LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{other}'] * 8)}]\n"
    for other, name in zip("abcdefgh", "bcdefghi", strict=True)
)
ANY_FILE: dict[str, tuple[Written, str]] = {
    "nothing": (lambda _: "", ": content: it is empty; write"),
    "only a comment": (lambda _: "# later\n", ": content: it is empty; write"),
    "a list": (lambda _: "- a\n- b\n", ": content: parts belong here, each as name: content"),
    "a word": (lambda _: "hello\n", ": content: parts belong here"),
    "a tab": (lambda text: text.replace("  ", "\t", 1), "is indented with a tab; indent with spac"),
    "two files in one": (lambda text: f"{text}\n---\n{text}", ": the file cannot be read as YAML"),
    "a quotation mark that is left open": (owned('"'), ": the file cannot be read as YAML"),
    "a colon in a text": (owned("a: b"), ": the file cannot be read as YAML"),
    "a list for a name": (lambda text: f"? [a]\n: b\n{text}", "read as YAML (1:3: line and char"),
    "a control character": (lambda text: f"{text}a\0", ": the file cannot be read as YAML"),
    "another encoding": (lambda text: f"# ä\n{text}".encode("latin-1", "replace"), "no text in UT"),
    "an alias": (lambda text: f"a: &a b\nc: *a\n{text}", "references (&, *) and types (!) are not"),
    "a billion laughs": (lambda text: LAUGHS + text, "references (&, *) and types (!) are not rea"),
    "a list in itself": (lambda text: f"a: &a [*a]\n{text}", "references (&, *) and types (!) are"),
    "a type that is no number": (owned("!!int abc"), "references (&, *) and types (!) are not rea"),
    "a type that is no day": (owned("!!timestamp abc"), "references (&, *) and types (!) are not "),
    "an object": (owned("!!python/object/apply:os.system [ls]"), "and types (!) are not read"),
    "brackets without end": (lambda _: "a: " + "[" * 50_000, "nested too deeply (1:15)"),
    "more than a file of rules": (lambda text: text + "#" * MAX_BYTES, "is larger than 1 MB; take"),
    "no owner": (put("owner: ", "ovner: "), ": owner: it is missing; add it"),
    "an owner without a name": (owned(""), ": owner: it is empty; write what it says"),
    "a list for an owner": (owned("[a, b]"), ": owner: a text belongs here"),
    "an owner of many words": (owned("a" * 301), ": owner: more than 300 characters; shorten it"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mistake", ANY_FILE)
def test_any_file_of_rules_may_be_no_file_of_rules(
    mistake: str, kind: str, rules: Path, capsys: Told
) -> None:
    written, message = ANY_FILE[mistake]

    file, told = told_of(rules, kind, written, capsys)
    assert message in told
    assert file in told.splitlines()[0]


def row(name: str, message: str) -> str:
    return f", row {name}: {message}"


LIMIT = "{ at_least: 3 }"
CONDITION = "write the values in brackets: [yes, unknown], or the limits of a number, whole ones: {"
IN_A_TABLE: dict[str, tuple[Written, str]] = {
    "a value without brackets": (
        put("when: { psych: [yes] }", "when: { psych: yes }"),
        row("erityis-psych", f"when.psych: {CONDITION}"),
    ),
    "a list of facts": (
        put("when: { psych: [yes] }", "when: [psych]"),
        row("erityis-psych", "when: parts belong here"),
    ),
    "a number in words": (
        put(LIMIT, "{ at_least: three }"),
        row("vaativa-many-areas", f"when.areas_besides_a10: {CONDITION}"),
    ),
    "half a number": (
        put(LIMIT, "{ at_least: 2.5 }"),
        row("vaativa-many-areas", f"when.areas_besides_a10: {CONDITION}"),
    ),
    "a number of a thousand digits": (
        put(LIMIT, "{ at_least: " + "9" * 5_000 + " }"),
        row("vaativa-many-areas", f"when.areas_besides_a10: {CONDITION}"),
    ),
    "a misspelt fact": (
        put("when: { psych: [yes] }", "when: { pysch: [yes] }"),
        row("erityis-psych", "unknown column pysch; nearest: psych, "),
    ),
    "a name where names belong": (
        put("unless: [vaativa-many-areas, vaativa-rare-domain]", "unless: vaativa-many-areas"),
        row("erityis-several-areas", "unless: a list belongs here"),
    ),
    "a row that is a word": (put("rows:\n", "rows:\n  - hello\n"), row("1", "content: parts")),
    "a row that is empty": (put("rows:\n", "rows:\n  -\n"), row("1", "content: it is empty")),
    "an id in capitals": (
        put("id: erityis-psych", "id: Erityis Psych"),
        row("Erityis Psych", "id: Erityis Psych will not do; small letters a–z and digits only"),
    ),
    "an id that is no text": (put("id: erityis-psych", "id: [a]"), row("4", "id: a text belongs")),
    "a reason in one language": (
        put("      sv: Det finns oro på minst två områden.\n", ""),
        row("erityis-several-areas", "reason.sv: it is missing; add it"),
    ),
    "a reason that is one text": (
        put("then: vaativa\n", "then: vaativa\n    exception: because\n"),
        row("vaativa-many-areas", "exception: parts belong here"),
    ),
    "an example that is a word": (
        put("- { psych: yes }", "- psych"),
        row("erityis-psych", "examples.match.1: write an example on its own line: - { psych: yes,"),
    ),
    "an example in an example": (
        put("- { psych: yes }", "- { psych: { a: b } }"),
        row("erityis-psych", "examples.match.1.psych: write an example on its own line"),
    ),
    "an example that contradicts its row": (
        put("- { psych: [no, unknown] }", "- { psych: [no, unknown, yes] }"),
        row("erityis-psych", "the row hits an example that it must not match"),
    ),
    "a table of another kind": (
        put("hit: agreeing", "hit: first"), ": hit: first is not one of collect, unique, agreeing",
    ),
    "another table": (put("table: level", "table: holder"), ": the file says it is holder"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_A_TABLE)
def test_a_mistake_in_a_table_is_told_with_its_row(mistake: str, rules: Path, capsys: Told) -> None:
    written, message = IN_A_TABLE[mistake]

    file, told = told_of(rules, "level", written, capsys)
    assert file + message in told


def test_two_rows_with_one_id_are_told_once(rules: Path, capsys: Told) -> None:
    _, told = told_of(rules, "level", put("id: erityis-safety", "id: erityis-psych"), capsys)
    assert 1 == told.count("row erityis-psych: two rows have this id; rename one, or take it out")


IN_QUESTIONS: dict[str, tuple[Written, str]] = {
    "one that cannot be asked": (
        put("- id: a10\n", "- id: a11\n"), row("a11", "this cannot be asked; take"),
    ),
    "one that is asked twice": (
        put("- id: a10\n", "- id: a9\n"), row("a9", "this is asked twice; take one out"),
    ),
    "one that is missing": (
        lambda text: text.partition("  - id: is_client")[0],
        ": the question is_client is missing; write it\nProposal:\n  - id: is_client\n",
    ),
    "a language that is missing": (
        put("      sv: Är barnet i fara just nu?\n", ""),
        row("in_danger", "text.sv: it is missing; add it"),
    ),
    "somebody who answers nothing": (
        put("[notifier, family, school, health_care]", "[notifier, neighbour]"),
        row("in_danger", "answered_by.2: neighbour is not one of notifier, school, family, "),
    ),
    "nobody who can answer": (
        put("[notifier, family, school, health_care]", "[]"),
        row("in_danger", "answered_by: the list is empty; write at least one"),
    ),
    "another version than the file's": (
        put("version: 20", "version: 19"), ": the file says it is questions, version 19",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_QUESTIONS)
def test_the_questions_are_checked_with_the_tables(mistake: str, rules: Path, capsys: Told) -> None:
    written, message = IN_QUESTIONS[mistake]

    file, told = told_of(rules, "questions", written, capsys)
    assert file + message in told


IN_SETTINGS: dict[str, tuple[Written, str]] = {
    "an age in words": (
        put("at_least: 13, at_most: 17 } }", "at_least: thirteen, at_most: 17 } }"),
        ": offers.demanding_substitute_care.ages.at_least: thirteen is no whole number",
    ),
    "an age that nobody has": (
        put("at_least: 13, at_most: 17 } }", "at_least: 13, at_most: 99 } }"),
        ": offers.demanding_substitute_care.ages.at_most: 99 is too large; at most 25",
    ),
    "a day as people write it": (
        put("valid_from: 20", "valid_from: 1.8.20"), "is no day; write year-month-day, such as 202",
    ),
    "an offer that there is not": (put("  barnahus:", "  sauna:"), ": offers: sauna is not one of"),
    "a list of offers": (
        lambda text: text.replace("offers:", "offers: [barnahus]\nothers:", 1),
        ": offers: parts belong here, each as name: content",
    ),
    "a language that is missing": (put("sv: Exempels", "se: Exempels"), ": names.sv: it is mis"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_SETTINGS)
def test_a_mistake_in_the_settings_is_told_with_its_place(
    mistake: str, rules: Path, capsys: Told
) -> None:
    written, message = IN_SETTINGS[mistake]

    file, told = told_of(rules, "settings", written, capsys)
    assert message in told
    assert file in told


IN_SHARES: dict[str, tuple[Written, str]] = {
    "a number with a comma": (
        lambda text: text.replace("measured: ", "measured: 1,", 1),
        "is no number; write it with a point, such as 16.38",
    ),
    "no seats": (lambda text: text.replace("seats: ", "seats: 0 #", 1), ": seats: 0 is too small"),
    "a band in words": (
        put("band: { at_least: 3, at_most: 8 }", "band: 3-8"), ": shares.urgent.band: parts belong",
    ),
    "a share that there is not": (
        put("  psychiatry:", "  psykiatria:"),
        ": shares.psykiatria: psykiatria is not one of urgent, expert_group, psychiatry",
    ),
    "a share that is missing": (
        lambda text: text.partition("  psychiatry:")[0],
        ": shares.psychiatry: it is missing; add it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_SHARES)
def test_a_mistake_in_the_shares_is_told_before_anything_is_measured(
    mistake: str, rules: Path, capsys: Told
) -> None:
    written, message = IN_SHARES[mistake]

    file, told = told_of(rules, "shares", written, capsys)
    assert message in told
    assert file in told


@pytest.mark.parametrize("name", ["2027-01.yml", "2027-01.YAML", "2027-01.yaml.txt", "new.xlsx"])
def test_a_file_that_nobody_reads_is_told(name: str, rules: Path, capsys: Told) -> None:
    path = rules / "level" / name
    path.write_bytes(newest_of(rules, "level").read_bytes())
    try:
        code, told = check(rules, "en", capsys)
    finally:
        path.unlink()

    assert 1 == code
    assert f"level/{name}: the file is not read: the name of a rule file ends in .yaml" in told


@pytest.mark.parametrize("name", [".2027-01.yaml.swp", "2026-12.yaml~"])
def test_what_an_editor_leaves_is_passed_over(name: str, rules: Path, capsys: Told) -> None:
    path = rules / "level" / name
    path.write_bytes(b"")
    try:
        assert 0 == check(rules, "en", capsys)[0]
    finally:
        path.unlink()


def test_faults_of_every_kind_of_file_are_told_at_once(tmp_path: Path, capsys: Told) -> None:
    copied = Path(shutil.copytree(SHIPPED, tmp_path / "rules"))
    for kind in KINDS:
        newest_of(copied, kind).write_text("- a\n", encoding="utf-8")

    code, told = check(copied, "en", capsys)
    assert 1 == code
    assert [*KINDS] == sorted(line.partition("/")[0] for line in told.splitlines()[:4])
