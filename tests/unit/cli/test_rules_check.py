"""`./luotsi rules check` tells an owner of rules what is wrong, in the owner's language."""

from pathlib import Path

import pytest

from deploy.cli.__main__ import main
from services.routing.domain import flow
from services.routing.domain.facts import Column
from services.routing.domain.flow import SPACE
from services.routing.domain.tables import Fault, TablesRefusedError, load_tables
from services.routing.domain.tables.written import newest
from tests.earlier_rules import copy_with_numbers

FAULTY = {
    "fi": "mikään rivi ei osu lapseen, josta tiedetään: jo asiakas (existing_client): ei tiedossa",
    "sv": "ingen rad träffar ett barn om vilket är känt: redan klient (existing_client): inte känt",
    "en": "no row hits a child of whom is known: already a client (existing_client): not known",
}
ASKED_FIRST = "{ fi: Kysytty ensin, sv: Frågad först, en: Asked first }"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return copy_with_numbers(tmp_path / "rules")


def change(rules: Path, table: str, *changes: tuple[str, str]) -> None:
    path = newest(rules, table)  # type: ignore[arg-type]
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def without_row(rules: Path, table: str, row: str, *, listed: bool) -> str:
    """Take a row out of a table; returns the row."""
    path = newest(rules, table)  # type: ignore[arg-type]
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(f"  - id: {row}\n")
    taken, _, after = rest.partition("  - id: ")
    text = before + ("  - id: " + after if after else "")
    if not listed:
        text = text.replace(f", {row}", "", 1).replace(f"  - {row}\n", "", 1)
    path.write_text(text, encoding="utf-8")
    return taken


def test_the_shipped_tables_are_proved(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["rules", "check"])
    told = capsys.readouterr().out
    assert "level/2026-12.3.yaml: 9 rows" in told
    assert "urgent@2026-12+level@2026-12.3+holder@2026-12+destinations@2026-12" in told


@pytest.mark.parametrize("language", FAULTY)
def test_a_missing_row_is_told_with_a_child_and_a_row_to_fill_in(
    copied: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    without_row(copied, "holder", "client-unknown", listed=False)

    assert 1 == main(["rules", "check", str(copied), "--language", language])
    told = capsys.readouterr().out
    assert FAULTY[language] in told
    assert "    then: duty\n" in told


def test_the_proposed_row_mends_the_table_once_its_texts_are_written(copied: Path) -> None:
    without_row(copied, "holder", "client-unknown", listed=False)
    with pytest.raises(TablesRefusedError) as refused:
        load_tables(copied)
    (gap,) = refused.value.faults
    with (copied / "holder" / "2026-12.yaml").open("a", encoding="utf-8") as file:
        file.write(gap.proposal + "\n")
    change(copied, "holder", ("contents: [", "contents: [new-row, "))

    with pytest.raises(TablesRefusedError) as unwritten:
        load_tables(copied)
    assert {"form-empty"} == {fault.kind for fault in unwritten.value.faults}

    change(copied, "holder", ('{ fi: "", sv: "", en: "" }', "{ fi: a, sv: b, en: c }"))
    seen = {str(fault.witness) for fault in left(copied) if fault.kind == "gap"}
    assert {"gap"} >= {fault.kind for fault in left(copied)}
    assert str(gap.witness) not in seen


def left(rules: Path) -> tuple[Fault, ...]:
    """What is still wrong: each time one child that no row hits is named."""
    try:
        load_tables(rules)
    except TablesRefusedError as error:
        return error.faults
    return ()


def test_a_row_that_went_is_missed_by_name(copied: Path) -> None:
    without_row(copied, "urgent", "danger", listed=True)

    with pytest.raises(TablesRefusedError, match="row danger: contents names a row that is not"):
        load_tables(copied)


def test_every_fault_is_told_at_once(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(copied, "urgent", ("{ in_danger: [yes] }", "{ in_danger: [ja] }"))
    change(copied, "level", ("{ psych: [yes] }", "{ pysch: [yes] }"))

    assert 1 == main(["rules", "check", str(copied)])
    told = capsys.readouterr().out
    assert "urgent/2026-12.yaml, row danger: in_danger: unknown value ja" in told
    assert "level/2026-12.2.yaml, row erityis-psych: unknown column pysch" in told
    assert "stays in force" in told


def test_a_decision_that_becomes_lighter_with_more_concern_is_refused_with_both_children(
    copied: Path,
) -> None:
    change(copied, "urgent", ("{ self_harm: [yes] }", "{ self_harm: [unknown] }"))

    with pytest.raises(TablesRefusedError) as refused:
        load_tables(copied)
    lighter = [fault for fault in refused.value.faults if fault.kind == "lighter"]
    assert ["self-harm"] == [fault.row for fault in lighter]
    assert ({"self_harm": "unknown"}, {"self_harm": "yes"}) == tuple(
        {"self_harm": facts["self_harm"]} for facts in lighter[0].witness
    )
    assert "itsetuhoisuus (self_harm): ei tiedossa" in lighter[0].in_language("fi")


def test_an_exception_lets_it_be_and_is_listed(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(
        copied,
        "urgent",
        ("{ self_harm: [yes] }", "{ self_harm: [unknown] }"),
        ("then: self_harm", "then: self_harm\n    exception: { reason: " + ASKED_FIRST + " }"),
        ("- { self_harm: yes }", "- { self_harm: unknown }"),
        ("- { self_harm: [no, unknown] }", "- { self_harm: [no, yes] }"),
    )

    assert 0 == main(["rules", "check", str(copied), "--without-shares"])
    assert "Exception: urgent/2026-12.yaml, self-harm: Asked first" in capsys.readouterr().out


def test_an_exception_without_need_is_refused(copied: Path) -> None:
    change(
        copied,
        "urgent",
        ("then: self_harm", "then: self_harm\n    exception: { reason: " + ASKED_FIRST + " }"),
    )

    with pytest.raises(TablesRefusedError, match="row self-harm: the exception is not needed"):
        load_tables(copied)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("municipality", "column far_away depends on municipality, which no rule may know"),
        ("notifier.unit", "column far_away depends on notifier.unit, which no rule may know"),
        ("shoe_size", "column far_away depends on shoe_size, which is no declared input"),
        (None, "where column far_away comes from is not declared"),
    ],
)
def test_a_planted_dependence_is_named(
    source: str | None,
    message: str,
    copied: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = {**SPACE.columns, "far_away": Column(("no", "unknown", "yes"), "rising")}
    derived = {**SPACE.flow.derived, **({"far_away": ("a5", source)} if source else {})}
    planted = SPACE._replace(columns=columns, flow=SPACE.flow._replace(derived=derived))
    monkeypatch.setattr("deploy.cli.rules.SPACE", planted)
    change(copied, "urgent", ("{ self_harm: [yes] }", "{ self_harm: [yes], far_away: [yes] }"))

    assert 1 == main(["rules", "check", str(copied)])
    told = capsys.readouterr().out
    assert f"urgent/2026-12.yaml, row self-harm: {message}" in told
    assert flow.SPACE is not planted


@pytest.mark.parametrize(
    ("language", "gone", "file"),
    [
        ("fi", "tätä ei ole; tarkista nimi", "tämä ei ole hakemisto; nimeä hakemisto"),
        ("sv", "finns inte; kontrollera", "är ingen katalog; ange en katalog"),
        ("en", "there is no such file or directory", "it is no directory; name one"),
    ],
)
def test_a_directory_that_is_none_is_said(
    language: str, gone: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workbook = tmp_path / "rules.xlsx"
    workbook.write_bytes(b"")
    for path, told in ((tmp_path / "nowhere", gone), (workbook, file)):
        assert 2 == main(["rules", "check", str(path), "--language", language])
        assert f"luotsi: {path}: {told}" in capsys.readouterr().err


FAULTY_SETTINGS = {
    "fi": "settings/2026-08-01.yaml: offers: sauna ei ole mikään tunnetuista: family_centre",
    "sv": "settings/2026-08-01.yaml: offers: sauna är ingen av de kända: family_centre",
    "en": "settings/2026-08-01.yaml: offers: sauna is not one of family_centre",
}


def change_settings(rules: Path, old: str, new: str) -> None:
    path = rules / "settings" / "2026-08-01.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_fault_of_the_countys_settings_is_named_in_the_owners_language(
    copied: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change_settings(copied, "barnahus:", "sauna:")

    assert 1 == main(["rules", "check", str(copied), "--language", language])
    assert FAULTY_SETTINGS[language] in capsys.readouterr().out


def test_faults_of_tables_and_of_settings_are_told_at_once(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copied, "level", ("{ psych: [yes] }", "{ pysch: [yes] }"))
    change_settings(copied, "at_least: 13, at_most: 17 }\n", "at_least: 15, at_most: 17 }\n")

    assert 1 == main(["rules", "check", str(copied)])
    told = capsys.readouterr().out
    assert "level/2026-12.2.yaml, row erityis-psych: unknown column pysch" in told
    assert "settings/2026-08-01.yaml: psychiatry: no clinic takes 13-year-olds" in told
    assert "stays in force" in told


def test_the_settings_in_force_are_told_with_the_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 0 == main(["rules", "check"])
    told = capsys.readouterr().out
    assert "settings/2026-08-01.2.yaml: Wellbeing Services County of Example, 13 offers" in told
    assert "+destinations@2026-12.4+settings@2026-08-01.2" in told
