"""Cases that may be about the same child, at the desk: asked of intake, decided by a person."""

from pathlib import Path
from uuid import UUID

import pytest

from tests.builders import WORDS, AChild, SetClock
from tests.deskside import a_desk
from tests.intakeside import intake
from tests.integration.test_joining import Both, both
from tests.integration.test_routing import routing
from tests.system import value

__all__ = ["both", "intake", "routing"]

ONE = AChild(number=903)
BORN = ONE.born.isoformat()


async def two(both: Both) -> tuple[UUID, UUID]:
    """A child who is known, and one told of by name and birthday alone."""
    known = await both.notified("n-1", "Ensimmäinen huoli.", hetu=ONE.hetu, name="Áile Tunnettu")
    nameless = await both.notified("n-2", "Toinen.", name="Tunnettu, Áile", birth_date=BORN)
    return known, nameless


def section(page: str) -> str:
    """What stands under the heading."""
    return page.partition('aria-labelledby="alike"')[2].partition("</section>")[0]


async def test_a_worker_sees_who_it_may_be_joins_them_and_is_not_asked_again(both: Both) -> None:
    known, nameless = await two(both)
    mark = (await both.desk.get("sosse", f"/cases/{known}"))["mark"]

    shown = section(await both.page(nameless))
    assert f'href="/cases/{known}">{mark}</a>' in shown
    assert "Same date of birth" in shown
    assert "Two or more parts of the name are the same" in shown
    assert "Tunnettu" not in shown
    assert "checked" not in shown
    async with both.desk.browser("sosse") as sosse:
        asked = await sosse.open(f"/cases/{nameless}/join?other={known}")
        done = await sosse.send(asked, f"/cases/{nameless}/join", {"reason": "Sama henkilö."})
    await both.relayed()

    assert f'href="/cases/{nameless}/join?other={known}"' in shown
    assert done.status_code == 303
    answer = await both.desk.get("sosse", f"/cases/{known}/suggestions")
    assert answer == {"suggestions": []}


async def test_who_was_separated_is_not_suggested_on_either_page(both: Both) -> None:
    known, nameless = await two(both)
    await both.joined(nameless, known)
    await both.desk.post("sosse", f"/cases/{nameless}/separate", reason="Eri lapset.")
    await both.relayed()

    for child in (known, nameless):
        answer = await both.desk.get("sosse", f"/cases/{child}/suggestions")
        assert answer == {"suggestions": []}
    assert "No other child looks like this one." in section(await both.page(nameless))


async def test_programmes_get_the_same_list_in_codes_and_words(both: Both) -> None:
    known, nameless = await two(both)

    answer = await both.desk.get("aino", f"/cases/{nameless}/suggestions")

    case = await both.desk.get("aino", f"/cases/{known}")
    assert answer == {
        "suggestions": [
            {
                "child": str(known), "mark": case["mark"], "age_band": case["age_band"],
                "reasons": ["birth-date", "names"],
                "why": answer["suggestions"][0]["why"],
            }
        ]
    }  # fmt: skip
    assert len(answer["suggestions"][0]["why"]) == 2
    audit = await both.owner.fetch("SELECT actor, subject FROM intake.audit ORDER BY id")
    assert tuple(audit[-1]) == ("aino", str(nameless))


async def test_a_joined_child_and_one_that_is_not_there_have_no_suggestions(both: Both) -> None:
    known, nameless = await two(both)
    await both.joined(nameless, known)

    async with both.desk.client("sosse") as client:
        joined = await client.get(f"/api/v1/cases/{nameless}/suggestions")
        nobody = await client.get(f"/api/v1/cases/{UUID(int=1)}/suggestions")

    assert (joined.status_code, joined.json()["other"]) == (409, str(known))
    assert nobody.status_code == 404


async def test_a_duty_worker_sees_who_it_may_be_and_who_joins_cases(both: Both) -> None:
    known, nameless = await two(both)

    shown = section(await both.page(nameless, "aino"))

    assert f'href="/cases/{known}"' in shown
    assert "/join?" not in shown
    assert "A social worker or a supervisor joins cases." in shown


async def test_a_known_child_is_compared_only_when_somebody_asks(both: Both) -> None:
    known, nameless = await two(both)
    count = "SELECT count(*) FROM intake.audit WHERE act = 'suggestions'"

    shown = section(await both.page(known))
    assert await value(both.intake.admin_url, count) == 0
    async with both.desk.browser("sosse") as sosse:
        asked = section((await sosse.open(f"/cases/{known}?alike=true")).text)

    assert f'href="/cases/{known}?alike=true#alike"' in shown
    assert f'href="/cases/{nameless}"' not in shown
    assert f'href="/cases/{nameless}"' in asked
    assert await value(both.intake.admin_url, count) == 1


async def test_a_case_whose_first_message_is_under_way_is_shown_by_its_mark(both: Both) -> None:
    _, nameless = await two(both)
    late = await both.message("n-3", "Tulossa.", name="Áile Tunnettu", birth_date=BORN)

    answer = await both.desk.get("sosse", f"/cases/{nameless}/suggestions")

    bands = {each["child"]: each["age_band"] for each in answer["suggestions"]}
    assert bands[str(late.child)] == ""  # type: ignore[union-attr]
    assert len(bands) == 2


async def test_while_intake_is_away_the_page_says_so_and_shows_everything_else(
    database_url: str, tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:1"
    async with a_desk(database_url, tmp_path, SetClock(), intake_url=nobody) as desk:
        child = (await desk.cases.notified(AChild(known=False))).child
        async with desk.browser("sosse") as sosse:
            page = await sosse.open(f"/cases/{child}")
        async with desk.client("sosse") as client:
            refused = await client.get(f"/api/v1/cases/{child}/suggestions")

    assert page.status_code == 200
    assert "so nobody can be suggested" in section(page.text)
    assert WORDS in page.text
    assert refused.status_code == 503


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ("Mahdollisesti sama lapsi", "Sama syntymäaika", "Vähintään kaksi nimen osaa")),
        ("sv", ("Kanske samma barn", "Samma födelsedatum", "Minst två delar av namnet")),
        ("en", ("Perhaps the same child", "Same date of birth", "Two or more parts")),
    ],
)
async def test_reasons_are_told_in_every_language(
    both: Both, language: str, words: tuple[str, ...]
) -> None:
    _, nameless = await two(both)

    shown = section(await both.page(nameless, language=language))

    for text in words:
        assert text in shown
