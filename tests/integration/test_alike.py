"""Children who may be one, at intake on a real PostgreSQL: what is kept, and who is suggested."""

import asyncio
import unicodedata
from typing import Any

import orjson
import pytest

from services.intake.handlers import messages
from shared import events
from shared.contract import EXAMPLES
from shared.migrate import files
from tests.builders import AChild
from tests.intakeside import DESK, NOW, Intake, bearer, told
from tests.intakeside import intake as plain_intake
from tests.integration.test_identity import ask

__all__ = ["plain_intake"]

CLIENT: dict[str, Any] = orjson.loads((EXAMPLES / "client.json").read_bytes())
ONE, OTHER = AChild(number=903), AChild(number=904)
HOME = {
    "guardians": [{"name": "Marjatta Näyte-Koe"}],
    "address": "Pihlajakuja 7 B 12, 00100 Helsinki",
}
AINO = {"name": "Áino Koetunnus", "hetu": ONE.hetu, **HOME}
NAMELESS = {"name": "koetunnus áino", "birth_date": ONE.born.isoformat()}


@pytest.fixture
async def intake(plain_intake: Intake) -> Intake:
    """Intake that believes the client feed of one source."""
    plain_intake.inbox = messages(
        plain_intake.sealer, lambda: NOW, {"client": frozenset({"cis-1"})}
    )
    return plain_intake


async def family(intake: Intake, ident: str, *children: dict[str, Any], **more: Any) -> list[Any]:
    """The signals of a message about these children."""
    content = {
        "notifier": {"kind": "education", "name": "Testi Ilmoittaja"},
        "children": children, "observations": "Huoli.", **more,
    }  # fmt: skip
    return told(await intake.take(content, ident), events.SIGNAL)


async def child(intake: Intake, ident: str, **named: Any) -> str:
    (signal,) = await family(intake, ident, named)
    return str(signal["child"])


async def state(intake: Intake, ident: str, **changes: Any) -> str:
    """The client feed tells of somebody; the child's id."""
    row = await intake.take({**CLIENT, **changes}, ident, "cis-1", kind="client")
    return str(told(row, events.SIGNAL)[0]["child"])


async def suggested(intake: Intake, of: str) -> list[tuple[str, list[str]]]:
    answer = await ask(intake, "suggestions", child=of)
    assert answer.status_code == 200, answer.text
    return [(each["child"], each["reasons"]) for each in answer.json()["suggestions"]]


async def rows(intake: Intake, query: str) -> list[tuple[Any, ...]]:
    async with intake.pool.acquire() as conn:
        return [tuple(row) for row in await conn.fetch(query)]


# --- who is suggested ----------------------------------------------------------------------------


async def test_a_child_without_a_code_is_suggested_to_be_the_known_one_until_they_are_joined(
    intake: Intake,
) -> None:
    known = await child(intake, "n-1", **AINO)
    nameless = await child(intake, "n-2", **NAMELESS)
    await child(intake, "n-3", name="Áino Muukoe", birth_date=ONE.born.isoformat())

    before = await suggested(intake, nameless)
    other_way = await suggested(intake, known)
    joined = await ask(intake, "merge", child=nameless, other=known)

    assert before == [(known, ["birth-date", "names"])]
    assert other_way == [(nameless, ["birth-date", "names"])]
    assert joined.status_code == 200
    assert await suggested(intake, nameless) == await suggested(intake, known) == []


async def test_who_was_separated_is_never_suggested_again(intake: Intake) -> None:
    known = await child(intake, "n-1", **AINO)
    nameless = await child(intake, "n-2", **NAMELESS)
    third = await child(intake, "n-3", **NAMELESS)
    await ask(intake, "merge", child=nameless, other=known)
    assert await suggested(intake, nameless) == [(third, ["birth-date", "names"])]

    await ask(intake, "separate", child=nameless)

    assert [each for each, _ in await suggested(intake, nameless)] == [third]
    assert [each for each, _ in await suggested(intake, known)] == [third]
    await ask(intake, "merge", child=third, other=known)  # nor whoever is joined to that child
    assert await suggested(intake, nameless) == await suggested(intake, third) == []


async def test_whoever_has_the_case_is_suggested_for_all_who_are_joined_to_it(
    intake: Intake,
) -> None:
    known = await child(intake, "n-1", hetu=ONE.hetu)  # of whom no name was told
    second = await child(intake, "n-2", **NAMELESS)
    third = await child(intake, "n-3", **NAMELESS)
    await ask(intake, "merge", child=second, other=known)

    assert await suggested(intake, third) == [(known, ["birth-date", "names"])]


async def test_twins_are_suggested_with_a_reason_of_their_own(intake: Intake) -> None:
    twins = await family(
        intake, "n-1", {**AINO}, {"name": "Eino Koetunnus", "hetu": OTHER.hetu, **HOME}
    )
    one, other = (str(twin["child"]) for twin in twins)

    assert await suggested(intake, one) == [(other, ["birth-date", "name", "home"])]


async def test_two_birthdays_are_two_children_also_where_a_worker_gave_one_of_them(
    intake: Intake,
) -> None:
    later = AChild(born=ONE.born.replace(year=2016), number=905)
    undated = await child(intake, "n-1", name="Áino Koetunnus", **HOME)
    known = await child(intake, "n-2", **AINO)
    assert await suggested(intake, undated) == [(known, ["names", "home"])]

    await ask(intake, "identity", child=undated, hetu=later.hetu)

    assert await suggested(intake, undated) == await suggested(intake, known) == []


async def test_a_name_that_a_worker_gives_with_the_code_is_compared_too(intake: Intake) -> None:
    wrong = await child(intake, "n-1", name="Joku Tuntematon")
    twice = await child(intake, "n-2", **NAMELESS)

    await ask(intake, "identity", child=wrong, hetu=ONE.hetu, name="Áino Koetunnus")

    assert await suggested(intake, wrong) == [(twice, ["birth-date", "names"])]


async def test_a_correction_that_tells_the_birthday_is_compared(intake: Intake) -> None:
    known = await child(intake, "n-1", **AINO)
    nameless = await child(intake, "n-2", name="Áino Koetunnus")
    assert await suggested(intake, nameless) == []

    (signal,) = await family(intake, "n-3", NAMELESS, corrects="n-2")

    assert signal["child"] == nameless
    assert await suggested(intake, nameless) == [(known, ["birth-date", "names"])]


async def test_whom_the_client_feed_names_is_suggested(intake: Intake) -> None:
    person = {"name": "Áino Maria Koetunnus", "hetu": ONE.hetu}
    known = await state(intake, "s-1", person=person)

    nameless = await child(intake, "n-1", **NAMELESS)

    assert await suggested(intake, nameless) == [(known, ["birth-date", "names"])]


async def test_no_address_leads_to_a_child_under_turvakielto(intake: Intake) -> None:
    address = {"address": HOME["address"]}
    person = {"name": "Áino Koetunnus", "hetu": ONE.hetu, **address}
    known = await child(intake, "n-1", **person)  # its notifier told the address
    nameless = await child(intake, "n-2", name="Áino Koetunnus", **address)
    assert await suggested(intake, nameless) == [(known, ["names", "home"])]

    await state(intake, "s-1", person=person, turvakielto="yes", guardians=[], version=8)

    assert await suggested(intake, nameless) == []
    left = await rows(intake, "SELECT child::text, kind FROM child_trait")
    assert [kind for child, kind in left if child == known] == [1]
    await state(intake, "s-2", person=person, turvakielto="unknown", guardians=[], version=9)
    assert await suggested(intake, nameless) == []
    await state(intake, "s-3", person=person, turvakielto="no", guardians=[], version=10)
    assert await suggested(intake, nameless) == [(known, ["names", "home"])]


# --- who may ask, and what is kept ---------------------------------------------------------------


async def test_who_asks_is_in_the_audit_trail_and_only_the_desk_may(intake: Intake) -> None:
    nameless = await child(intake, "n-1", **NAMELESS)
    body = {"child": nameless}

    foreign = await intake.http.post(
        "/internal/suggestions", json=body, headers={**DESK, **bearer("school-1")}
    )
    nobody = await ask(intake, "suggestions", child="00000000-0000-4000-8000-000000000000")
    more = await intake.http.post(
        "/internal/suggestions", json={**body, "name": "Koe"}, headers=DESK
    )
    await suggested(intake, nameless)

    assert (foreign.status_code, nobody.status_code, more.status_code) == (403, 404, 422)
    audit = await rows(intake, "SELECT actor, act, subject, purpose FROM audit ORDER BY id")
    assert audit[-1] == ("w-1", "suggestions", nameless, "identity-task")


async def test_no_part_of_a_name_or_a_home_is_readable_in_a_table_or_a_signal(
    intake: Intake,
) -> None:
    signals = await family(
        intake, "n-1", AINO, {**HOME, "name": "Eino Koetunnus", "hetu": OTHER.hetu}
    )
    await child(intake, "n-2", **NAMELESS)
    await state(intake, "s-1", person={"name": "Áino Koetunnus", "hetu": ONE.hetu})

    tables = await rows(
        intake, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'intake'"
    )
    assert ("child_trait",) in tables
    kept = ""
    for (table,) in tables:
        kept += str(await rows(intake, f"SELECT t::text FROM {table} t"))  # noqa: S608
    folded = unicodedata.normalize("NFC", (kept + str(signals)).casefold())
    for canary in ("koetunnus", "áino", "näyte", "marjatta", "pihlajakuja", "2014-05-01"):
        assert canary not in folded, canary
        assert canary.encode().hex() not in folded, canary


async def test_a_known_child_of_whom_nothing_is_new_costs_no_statement(intake: Intake) -> None:
    await child(intake, "n-1", **AINO)
    before = await rows(intake, "SELECT child, kind, hash, xmin::text FROM child_trait ORDER BY 3")

    await child(intake, "n-2", **{**AINO, "name": "Toinen Nimi"})

    after = await rows(intake, "SELECT child, kind, hash, xmin::text FROM child_trait ORDER BY 3")
    assert before == after
    assert len(before) == 7  # two parts, one guardian, one address


async def test_two_processes_that_tell_of_the_same_children_do_not_stand_in_each_others_way(
    intake: Intake,
) -> None:
    people = [AChild(number=910 + n) for n in range(6)]

    batches = [
        [
            intake.read(
                {
                    **CLIENT, "reference": f"r-{ident}-{each.number}", "version": 1,
                    "person": {"name": "Áino Koe", "hetu": each.hetu},
                },
                f"s-{ident}-{each.number}", "cis-1", kind="client",
            )
            for each in order
        ]
        for ident, order in enumerate((people, people[::-1], people, people[::-1]))
    ]  # fmt: skip

    await asyncio.gather(*(intake.take_all(batch) for batch in batches))

    assert len(await rows(intake, "SELECT DISTINCT child FROM child_trait")) == len(people)


async def test_what_was_separated_before_the_table_was_there_is_known_to_it(
    intake: Intake,
) -> None:
    known, nameless = await child(intake, "n-1", **AINO), await child(intake, "n-2", **NAMELESS)
    await ask(intake, "merge", child=nameless, other=known)
    await ask(intake, "separate", child=nameless)
    apart = await rows(intake, "SELECT one, other FROM child_apart")
    (migration,) = [file for file in files("intake") if file.name.endswith("_alike.sql")]
    statement = (
        "INSERT INTO child_apart"
        + migration.read_text().partition("INSERT INTO child_apart")[2].partition(";")[0]
    )

    async with intake.pool.acquire() as conn:
        await conn.execute("DELETE FROM child_apart")
        await conn.execute(statement)

    assert await rows(intake, "SELECT one, other FROM child_apart") == apart != []


# --- the household of a message ------------------------------------------------------------------


async def test_children_of_a_message_who_share_a_home_have_one_household(intake: Intake) -> None:
    eino = {"name": "Eino Koetunnus", "hetu": OTHER.hetu, "address": "pihlajakuja 7b 12"}
    stranger = {"name": "Muu Lapsi", "hetu": AChild(number=906).hetu, "address": "Muukuja 1"}

    first = await family(intake, "n-1", AINO, stranger, eino)
    again = await family(intake, "n-2", eino, AINO)
    alone = await family(intake, "n-3", AINO)
    apart = await family(intake, "n-4", AINO, stranger)

    homes = [signal["household"] for signal in first]
    assert homes[0] == homes[2] != None  # noqa: E711
    assert homes[1] is None
    assert [signal["household"] for signal in again] == [homes[0]] * 2
    assert [signal["household"] for signal in (*alone, *apart)] == [None] * 3
    assert homes[0] not in {signal["child"] for signal in first}


async def test_one_child_told_of_twice_in_a_message_is_no_household(intake: Intake) -> None:
    signals = await family(intake, "n-1", AINO, AINO)

    assert [signal["household"] for signal in signals] == [None, None]
