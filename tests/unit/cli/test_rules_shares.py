"""A version that sends on too much is not taken without its owner's written reason."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import main
from deploy.cli.rules import SHIPPED
from deploy.cli.shares import SEATS, judged_as, measure
from deploy.sample.screening import Heard
from services.routing.domain.cases import InForce
from services.routing.domain.facts import NOTHING_KNOWN
from services.routing.domain.shares import (
    BANDS,
    Found,
    Share,
    ShareName,
    Shares,
    faults_of,
    load_shares,
    proposal,
)
from services.routing.domain.tables import TablesRefusedError, load_tables
from services.routing.domain.texts import Texts
from tests.earlier_rules import copy_with_numbers

TABLES = "urgent@2026-12+level@2026-12.2+holder@2026-12+destinations@2026-12.2"
WITH_EXAMPLES = "urgent@2026-12+level@2026-12+holder@2026-12+destinations@2026-12"
WHY = Texts(fi="Siksi", sv="Därför", en="Because")
SANE: Mapping[ShareName, float] = {"urgent": 5.0, "expert_group": 0.15, "psychiatry": 1.5}


def a_version(measured: Mapping[ShareName, float], **reasons: Texts) -> Found:
    shares: dict[ShareName, Share] = {
        name: Share(band=BANDS[name], measured=share, reason=reasons.get(name))
        for name, share in measured.items()
    }
    return Found(
        "shares/2026-12.2.yaml",
        Shares(tables=TABLES, owner="Omistaja", note=WHY, seats=SEATS, shares=shares),
    )


def kinds(found: Found, measured: Mapping[ShareName, float]) -> list[tuple[str, str]]:
    return [(fault.share, fault.kind) for fault in faults_of(found, measured)]


def test_the_shipped_tables_say_where_they_lie_outside_and_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = load_shares(SHIPPED, TABLES.replace("2026-12.2", "2026-12.3"))
    assert found is not None

    assert 0 == main(["rules", "check", "--language", "fi"])

    told = capsys.readouterr().out
    for share in found.shares.shares.values():
        assert share.reason is None or share.reason.fi in told
    assert "Kiireellisyyden merkki, sadasta ilmoituksesta: 16,38 (raja 3–8)" in told


def test_what_lies_within_its_band_needs_no_reason() -> None:
    assert [] == kinds(a_version(SANE), SANE)


@pytest.mark.parametrize(
    ("share", "now"), [("urgent", 2.9), ("urgent", 8.1), ("expert_group", 0.3), ("psychiatry", 3.0)]
)
def test_what_lies_outside_needs_one(share: ShareName, now: float) -> None:
    measured = {**SANE, share: now}

    assert [(share, "outside")] == kinds(a_version(measured), measured)
    assert [] == kinds(a_version(measured, **{share: WHY}), measured)
    (fault,) = faults_of(a_version(measured), measured)
    for language, mend in (("fi", "kirjoita reason"), ("sv", "skriv reason"), ("en", "write")):
        text = fault.in_language(language)  # type: ignore[arg-type]
        assert text.startswith(f"shares/2026-12.2.yaml, {share}: ")
        assert f"{now:.2f}" in text
        assert mend in text


def test_a_reason_that_excuses_nothing_is_to_be_removed() -> None:
    assert [("urgent", "unneeded")] == kinds(a_version(SANE, urgent=WHY), SANE)


def test_a_reason_for_another_share_than_there_is_now_is_to_be_read_again() -> None:
    written = a_version({**SANE, "psychiatry": 3.0}, psychiatry=WHY)

    assert [] == kinds(written, {**SANE, "psychiatry": 3.2})
    assert [("psychiatry", "other")] == kinds(written, {**SANE, "psychiatry": 15.0})


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return copy_with_numbers(tmp_path / "rules")


def without_its_file(rules: Path) -> Path:
    """Take away the file that is about the shipped tables; what one about them is called."""
    found = load_shares(rules, TABLES)
    assert found is not None
    path = rules / found.file
    path.unlink()
    return path


def test_a_draft_is_told_from_what_is_refused_and_what_it_lacks(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = without_its_file(copied)

    assert 1 == main(["rules", "check", str(copied)])

    told = capsys.readouterr().out
    assert "Proved: every child gets one level" in told
    assert "Sign of urgency, of a hundred notifications: 16.38 (band 3–8)" in told
    assert told.endswith(
        "stays in force until this is done:\n"
        f"shares/{path.name}: there is no such file yet; --write-shares writes it, with what was "
        "measured\n"
    )
    assert not path.exists()


def test_a_draft_gets_the_file_that_it_lacks_and_its_owner_completes_it(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = without_its_file(copied)

    assert 1 == main(["rules", "check", str(copied), "--write-shares"])
    told = capsys.readouterr().out
    assert f"shares/{path.name}, urgent: the share 16.38 lies outside of 3–8, and the owner" in told
    written = path.read_text(encoding="utf-8")
    before = load_shares(copied, WITH_EXAMPLES)
    assert before is not None
    reason = before.shares.shares["urgent"].reason
    assert reason is not None
    assert f"# {before.file} said of " in written
    assert f'    #   sv: "{reason.sv}"\n' in written

    assert 1 == main(["rules", "check", str(copied), "--write-shares"])
    assert written == path.read_text(encoding="utf-8"), "what an owner may have written stands"

    completed = re.sub(r'^(      (fi|sv|en)): ""$', r"\1: Because", written, flags=re.MULTILINE)
    path.write_text(completed, encoding="utf-8")
    capsys.readouterr()
    assert 0 == main(["rules", "check", str(copied)])
    assert "(band 3–8). Because\n" in capsys.readouterr().out


def test_a_reason_in_two_languages_is_out_of_form(copied: Path) -> None:
    path = without_its_file(copied)
    year: Mapping[ShareName, float] = {**SANE, "urgent": 16.0}
    written = proposal(TABLES, 'The "owner"', SEATS, year, None)
    path.write_text(
        written.replace('fi: ""', "fi: Siksi").replace('en: ""', "en: Because"), "utf-8"
    )

    with pytest.raises(TablesRefusedError, match=r"shares\.urgent\.reason\.sv: it is empty"):
        load_shares(copied, TABLES)


def test_a_version_within_all_its_bands_needs_nothing_more_than_its_file(copied: Path) -> None:
    path = without_its_file(copied)
    path.write_text(proposal(TABLES, 'The "owner"', SEATS, SANE, None), encoding="utf-8")

    found = load_shares(copied, TABLES)
    assert found is not None
    assert 'The "owner"' == found.shares.owner
    assert [] == kinds(found, SANE)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "measured: 16.38",
            "measured: paljon",
            "shares/2026-12.2.yaml: shares.urgent.measured: paljon is no number",
        ),
        ("  psychiatry: #", "  psykiatria: #", "shares/2026-12.2.yaml: shares.psykiatria"),
        ("note:", "notes:", "shares/2026-12.2.yaml: note"),
        ("shares:\n", "shares: [\n", "shares/2026-12.2.yaml: "),
    ],
)
def test_a_file_that_is_not_in_form_is_named_with_its_place(
    copied: Path, old: str, new: str, told: str
) -> None:
    path = copied / "shares" / "2026-12.2.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(TablesRefusedError) as refused:
        load_shares(copied, TABLES)
    assert told in str(refused.value)


def test_shares_are_counted_by_notifications_and_by_children() -> None:
    """Four notifications, one with a sign; of two proposals one child's counts once."""

    def heard(child: str, **more: Any) -> Heard:
        known = NOTHING_KNOWN._replace(**more)
        return Heard(
            child, "notification", known, "7-12", asked=True, urgent=False, client=False,
            dispute=False,
        )  # fmt: skip

    contact = heard("e", a2="yes", a10="yes")._replace(kind="contact")
    urgent = heard("d", a2="yes", a10="yes")._replace(urgent=True)
    year = [heard("a", in_danger="yes"), *[heard("b", a2="yes", a10="yes")] * 2, urgent]

    measured = measure([*year, contact], InForce(load_tables(SHIPPED)), seats=4)

    assert {"urgent": 25.0, "expert_group": 0.0, "psychiatry": 0.5} == measured
    assert ["not_urgent", "urgent"] == [judged_as(year[0]), judged_as(urgent)]
