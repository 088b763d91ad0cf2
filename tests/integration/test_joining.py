"""Two children who are one, one who is two: from the desk through intake to the cases."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from pydantic import TypeAdapter

from services.routing.desk.intake import Intake as IntakeClient
from shared import events
from shared.events import AnySignal, SignalMessage
from tests.builders import NOON, AChild, SetClock
from tests.deskside import Desk, a_desk, desk_settings
from tests.intakeside import Intake, intake, told
from tests.integration.test_mixups import take
from tests.integration.test_routing import Routing, routing
from tests.mixups import County
from tests.system import value

__all__ = ["intake", "routing"]

SIGNAL: TypeAdapter[AnySignal] = TypeAdapter(SignalMessage)
ONE, OTHER = AChild(number=903).hetu, AChild(number=904).hetu


@dataclass
class Both:
    """Intake and the desk over one database; what intake says is brought over by hand."""

    intake: Intake
    desk: Desk
    owner: asyncpg.Connection

    async def message(self, ident: str, text: str, **child: Any) -> AnySignal:
        """A message about a child that has come to intake, not yet to routing."""
        content = {
            "notifier": {"kind": "education", "name": "Testi Ilmoittaja"},
            "children": [child], "observations": text,
        }  # fmt: skip
        row = await self.intake.take(content, ident, at=self.desk.clock())
        (answer,) = [a for a in row.answers if a.topic == events.SIGNAL]
        return SIGNAL.validate_json(answer.value)

    async def notified(self, ident: str, text: str, **child: Any) -> UUID:
        """A message about a child that has come all the way; the child it arrived as."""
        signal = await self.message(ident, text, **child)
        assert isinstance(signal, events.Signal)
        await self.desk.cases.come(signal)
        return signal.child

    async def relayed(self) -> None:
        """What intake's outbox holds has come to routing."""
        rows = await self.owner.fetch("DELETE FROM intake.outbox RETURNING id, value")
        for row in sorted(rows, key=lambda r: r["id"]):
            await self.desk.cases.come(SIGNAL.validate_json(row["value"]))

    async def joined(self, one: UUID, other: UUID, reason: str = "Sama hetu.") -> UUID:
        """A social worker joins two; who has the case."""
        answer = await self.desk.post(
            "sosse", f"/cases/{one}/join", other=str(other), reason=reason
        )
        assert answer.status_code == 200, answer.text
        await self.relayed()
        return UUID(answer.json()["child"])

    async def page(self, child: UUID, worker: str = "sosse", language: str = "en") -> str:
        async with self.desk.browser(worker, language) as browser:
            answer = await browser.client.get(f"/cases/{child}", follow_redirects=True)
            assert answer.status_code == 200, answer.text
            return answer.text

    async def check(self, child: UUID, worker: str = "aino", reason: str = "Soitettu.") -> None:
        """Every open check of a case is answered."""
        case = await self.desk.get(worker, f"/cases/{child}")
        for note in case["notifications"]:
            if note["check_state"] == "open":
                answer = await self.desk.post(
                    worker, f"/checks/{note['id']}/answer", answer="not_urgent", reason=reason
                )
                assert answer.status_code == 200, answer.text


@pytest.fixture
async def both(intake: Intake, database_url: str, tmp_path: Path) -> AsyncIterator[Both]:
    given = {"intake_token": "token-of-desk"}
    client = IntakeClient(
        desk_settings(database_url, tmp_path, **given),
        httpx2.ASGITransport(intake.http._transport.app),  # type: ignore[attr-defined]
    )
    owner = await asyncpg.connect(database_url)
    async with a_desk(database_url, tmp_path, SetClock(), client, **given) as desk:
        yield Both(intake, desk, owner)
    await owner.close()


async def two(both: Both) -> tuple[UUID, UUID]:
    """A child who is known, and one of whom only a name was told."""
    known = await both.notified("n-1", "Ensimmäinen huoli.", hetu=ONE, name="Tunnettu Koe")
    nameless = await both.notified("n-2", "Toinen huoli.", name="Nimetön Koe")
    return known, nameless


async def test_an_identity_that_is_known_leads_to_a_join_without_a_name_before_it(
    both: Both,
) -> None:
    known, nameless = await two(both)
    mark = (await both.desk.get("sosse", f"/cases/{known}"))["mark"]
    async with both.desk.browser("sosse") as sosse:
        page = await sosse.open(f"/cases/{nameless}")
        refused = await sosse.send(page, f"/cases/{nameless}/identity", {"hetu": ONE})
        asked = await sosse.open(f"/cases/{nameless}/join?other={known}")
        done = await sosse.send(asked, f"/cases/{nameless}/join", {"reason": "Sama henkilö."})
        await both.relayed()
        page_of_both = await sosse.client.get(done.headers["location"], follow_redirects=True)

    assert refused.status_code == 409
    assert f"/cases/{nameless}/join?other={known}" in refused.text
    for shown in (refused.text, asked.text):
        assert mark in shown
        assert "Tunnettu" not in shown
        assert ONE not in shown
    for text in ("Ensimmäinen huoli.", "Toinen huoli.", "Tunnettu Koe", "Sama henkilö."):
        assert text in page_of_both.text
    assert (await both.desk.get("aino", "/queues/duty/identity"))["items"] == []
    checks = (await both.desk.get("aino", "/queues/duty/checks"))["items"]
    assert {item["child"] for item in checks} == {str(known)}


async def test_a_join_by_mark_asks_first_and_only_those_who_assess_may(both: Both) -> None:
    known, nameless = await two(both)
    mark = (await both.desk.get("sosse", f"/cases/{known}"))["mark"]
    async with both.desk.browser("sosse", "sv") as sosse:
        asked = await sosse.open(f"/cases/{nameless}/join?mark={mark.lower()}")
        wrong = await sosse.open(f"/cases/{nameless}/join?mark=K-0000-0000")
        forged = await sosse.client.post(
            f"/cases/{nameless}/join", data={"other": str(known), "reason": "x", "token": "x"}
        )
    duty = await both.desk.post("aino", f"/cases/{known}/join", other=str(nameless), reason="x")

    assert f"samma person som {mark}" in asked.text
    assert (wrong.status_code, forged.status_code, duty.status_code) == (422, 403, 403)
    assert await value(both.intake.admin_url, "SELECT count(*) FROM intake.outbox") == 0


async def test_an_act_on_the_joined_case_leads_to_the_one_that_has_it(both: Both) -> None:
    known, nameless = await two(both)
    assert await both.joined(nameless, known) == known

    refused = await both.desk.post("sosse", f"/cases/{nameless}/family-told")
    read = await both.desk.client("sosse").get(f"/api/v1/cases/{nameless}")

    for answer in (refused, read):
        assert (answer.status_code, answer.json()["other"]) == (409, str(known))
        assert answer.json()["type"].endswith("joined")
    assert "has been joined to this case" in await both.page(nameless)


async def test_a_message_that_was_under_way_comes_to_the_case_that_both_share(both: Both) -> None:
    known, nameless = await two(both)
    late = await both.message(
        "n-3", "Myöhempi huoli.", name="Nimetön Koe", hetu=OTHER
    )  # a third child, joined while its first message is under way
    assert isinstance(late, events.Signal)
    await both.intake.http.post(
        "/internal/merge", json={"child": str(late.child), "other": str(known)},
        headers={"authorization": "Bearer token-of-desk", "x-luotsi-worker": "sosse"},
    )  # fmt: skip
    await both.relayed()

    await both.desk.cases.come(late)

    row = await both.owner.fetchrow(
        "SELECT child, arrived_as FROM routing.notification WHERE id = $1", late.id
    )
    assert row is not None
    assert tuple(row) == (known, late.child)
    assert "Myöhempi huoli." in await both.page(known)
    assert nameless != known


async def test_a_separation_leaves_nothing_of_the_wrong_child_on_either_page(both: Both) -> None:
    known, nameless = await two(both)
    await both.check(nameless, reason="Ennen yhdistämistä.")
    await both.joined(nameless, known)
    await both.check(known, reason="Yhdistettynä tehty.")
    told_family = await both.desk.post(
        "sosse", f"/cases/{known}/family-told", reason="Molemmista kerrottu."
    )
    assert told_family.status_code == 200

    answer = await both.desk.post("sosse", f"/cases/{nameless}/separate", reason="Eri lapset.")
    await both.relayed()

    assert answer.status_code == 200, answer.text
    one, other = await both.page(known), await both.page(nameless)
    for text, only in (
        ("Ensimmäinen huoli.", one), ("Tunnettu Koe", one), ("Yhdistettynä tehty.", one),
        ("Toinen huoli.", other), ("Nimetön Koe", other), ("Ennen yhdistämistä.", other),
    ):  # fmt: skip
        assert text in only
        assert text not in (other if only is one else one)
    for page in (one, other):  # what covered both stays in both histories, marked
        assert "Molemmista kerrottu." in page
        assert "While joined to another child" in page
        assert "Look again at what was done while children were joined" in page
    for child in (known, nameless):
        running = await both.owner.fetch(
            "SELECT kind FROM routing.clock WHERE child = $1 AND stopped_at IS NULL "
            "AND about IN (SELECT id FROM routing.notification WHERE child = $1)",
            child,
        )
        assert {row["kind"] for row in running} == {"assessment_start", "assessment_finish"}


async def test_the_task_after_a_separation_is_closed_by_those_who_assess(both: Both) -> None:
    known, nameless = await two(both)
    await both.joined(nameless, known)
    await both.check(known)
    await both.desk.post("sosse", f"/cases/{nameless}/separate", reason="Eri lapset.")
    await both.relayed()
    (item, _) = (await both.desk.get("aino", "/queues/duty/set_aside"))["items"]
    async with both.desk.browser("kaisa", "fi") as kaisa:
        page = await kaisa.open(f"/items/{item['key']}")

    duty = await both.desk.post("aino", f"/set-aside/{item['key']}/close", reason="Katsottu.")
    done = await both.desk.post("kaisa", f"/set-aside/{item['key']}/close", reason="Katsottu.")

    assert item["outcome"] == "separated"
    assert f'action="/items/{item["key"]}/redrive"' not in page.text
    assert (duty.status_code, done.status_code) == (403, 200)


async def test_a_separation_without_acts_asks_nobody_to_look_again(both: Both) -> None:
    known, nameless = await two(both)
    await both.joined(nameless, known)
    await both.desk.post("sosse", f"/cases/{nameless}/separate", reason="Erehdys.")
    await both.relayed()

    assert (await both.desk.get("aino", "/queues/duty/set_aside"))["items"] == []
    assert len((await both.desk.get("aino", "/queues/duty/identity"))["items"]) == 1


async def test_an_accepted_destination_stands_for_the_joined_case_and_goes_back(
    both: Both,
) -> None:
    first, second = await two(both)
    expert = events.CodedFacts(reasons=("LOCAL-REASON-SELF-HARM", "LOCAL-REASON-CHILD-SUBSTANCE"))
    child = AChild(known=False, id=second)
    both.desk.cases._keys.add(second)
    await both.desk.cases.notified(child, facts=expert)
    await both.check(second)
    (proposal, *_) = (await both.desk.get("sosse", f"/cases/{second}"))["proposals"]
    where = proposal["destination"]
    accepted = await both.desk.post(
        "sosse", f"/cases/{second}/destinations/{where}",
        answer="accepted", number=proposal["number"], reason="Sovittu.",
    )  # fmt: skip
    assert accepted.status_code == 200

    async def state(of: UUID) -> dict[str, str]:
        case = await both.desk.get("sosse", f"/cases/{of}")
        return {p["destination"]: p["state"] for p in case["proposals"]}

    await both.joined(second, first)
    while_joined = await state(first)
    listed = (await both.desk.get("sosse", f"/queues/{where}/accepted"))["items"]
    await both.desk.post("sosse", f"/cases/{second}/separate", reason="Eri lapset.")
    await both.relayed()

    assert while_joined[where] == "accepted"
    assert [item["child"] for item in listed] == [str(first)]
    assert (await state(second))[where] == "accepted"
    assert (await state(first)).get(where, "withdrawn") in ("withdrawn", "proposed")


async def test_notifications_of_another_child_become_a_case_of_their_own(both: Both) -> None:
    child = await both.notified("n-1", "Oikeasta lapsesta.", hetu=ONE, name="Oikea Koe")
    both.desk.clock.forward(minutes=1)
    await both.notified("n-2", "Toisesta lapsesta.", hetu=ONE, name="Oikea Koe")
    case = await both.desk.get("sosse", f"/cases/{child}")
    wrong, right = (note["id"] for note in case["notifications"])
    await both.desk.post("aino", f"/checks/{wrong}/answer", answer="urgent", reason="Hätä nyt.")

    everything = await both.desk.post(
        "sosse", f"/cases/{child}/split", notifications=[wrong, right], reason="x"
    )
    done = await both.desk.post(
        "sosse", f"/cases/{child}/split", notifications=[wrong], reason="Sekaannus koululla."
    )
    await both.relayed()

    assert (everything.status_code, done.status_code) == (422, 200)
    after = await both.desk.get("sosse", f"/cases/{child}")
    assert [note["id"] for note in after["notifications"]] == [right]
    assert after["urgency"] == "open"
    new = await both.owner.fetchval("SELECT child FROM routing.notification WHERE id = $1", wrong)
    page, own = await both.page(new), await both.page(child)
    assert "Toisesta lapsesta." in page
    assert "Oikeasta lapsesta." not in page
    assert "Nobody has said yet who this child is." in page
    assert "Hätä nyt." in page
    assert "Toisesta lapsesta." not in own
    assert "Hätä nyt." not in own
    other = await both.desk.get("sosse", f"/cases/{new}")
    assert (other["provisional"], other["urgency"]) == (True, "urgent")


async def test_what_was_split_off_takes_its_correction_along(both: Both) -> None:
    child = await both.notified("n-1", "Oikeasta lapsesta.", hetu=ONE)
    await both.notified("n-2", "Toisesta lapsesta.", hetu=ONE)
    case = await both.desk.get("sosse", f"/cases/{child}")
    (wrong,) = [
        note["id"]
        for note in (await both.desk.get("sosse", f"/cases/{child}/content"))["notifications"]
        if note["text"]["observations"] == "Toisesta lapsesta."
    ]
    await both.desk.post("sosse", f"/cases/{child}/split", notifications=[wrong], reason="Eri.")
    await both.relayed()
    content = {
        "notifier": {"kind": "education", "name": "Testi Ilmoittaja"}, "corrects": "n-2",
        "children": [{"hetu": ONE}], "observations": "Korjattu.",
    }  # fmt: skip
    row = await both.intake.take(content, "n-3")
    (signal,) = told(row, events.SIGNAL)
    assert signal["corrects"] == wrong

    await both.desk.cases.come(SIGNAL.validate_python(signal, strict=False))

    rows = await both.owner.fetch("SELECT id, child FROM routing.notification")
    stands = {row["id"]: row["child"] for row in rows}
    assert stands[signal["id"]] == stands[wrong] != child
    assert len(case["notifications"]) == 2


async def test_a_joined_childs_erased_content_leaves_the_others_readable(both: Both) -> None:
    known, nameless = await two(both)
    await both.owner.execute("DELETE FROM keys.data_key WHERE id = $1", nameless)
    await both.intake.sealer.load(both.owner, [])
    for sealer in (both.intake.sealer, both.desk.app.state.process):
        getattr(sealer, "_cache", {}).clear()

    refused = await both.desk.post(
        "sosse", f"/cases/{nameless}/join", other=str(known), reason="Sama hetu."
    )
    kept = await both.joined(known, nameless)

    assert refused.status_code == 422
    page = await both.page(kept)
    assert "Ensimmäinen huoli." in page
    assert "Toinen huoli." not in page
    assert "Erased: this can no longer be read." in page


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_the_pages_of_joined_children_are_in_every_language(
    both: Both, language: str
) -> None:
    known, nameless = await two(both)
    await both.joined(nameless, known)

    page = await both.page(known, language=language)

    words = {"fi": "Yksi lapsi vai kaksi", "sv": "Ett barn eller två", "en": "One child or two"}
    assert words[language] in page


# --- at the same moment ---------------------------------------------------------------------------


async def test_both_copies_at_the_same_moment_are_applied_once(routing: Routing) -> None:
    for seed in range(10):
        county = County(random.Random(seed)).grow(2)
        one, other = county.children
        await take(routing, county.signal(one) + county.signal(other))
        first, second = county.merge((one, other) if seed % 2 else (other, one))

        answers = await asyncio.wait_for(
            asyncio.gather(take(routing, [first], "one"), take(routing, [second], "two")), 10
        )

        assert sorted(len(told) for told in answers) == [0, 2]
        numbers = await routing.owner.fetch(
            "SELECT seq FROM routing.child_case WHERE child = ANY($1)", [one, other]
        )
        assert [row["seq"] for row in numbers] == [2, 2]


async def test_an_urgent_child_who_is_joined_stays_urgent_and_an_open_check_stays_open(
    both: Both,
) -> None:
    known, nameless = await two(both)
    (note,) = (await both.desk.get("aino", f"/cases/{nameless}"))["notifications"]
    await both.desk.post("aino", f"/checks/{note['id']}/answer", answer="urgent", reason="Hätä.")

    await both.joined(nameless, known)

    case = await both.desk.get("aino", f"/cases/{known}")
    assert (case["urgency"], case["holder"]) == ("urgent", "duty")
    assert sorted(n["check_state"] for n in case["notifications"]) == ["open", "urgent"]
    assert case["joined"] == [str(nameless)]


async def test_the_limits_of_a_joined_child_keep_their_times(both: Both) -> None:
    known = await both.notified("n-1", "Ensimmäinen huoli.", hetu=ONE)
    both.desk.clock.forward(days=2)
    nameless = await both.notified("n-2", "Toinen huoli.", name="Nimetön Koe")
    times = "SELECT about, kind, started_at, target, due FROM routing.clock ORDER BY about, kind"
    before = [tuple(row) for row in await both.owner.fetch(times)]

    await both.joined(nameless, known)

    assert [tuple(row) for row in await both.owner.fetch(times)] == before
    assert {row[2] for row in before} == {NOON, NOON + timedelta(days=2)}
