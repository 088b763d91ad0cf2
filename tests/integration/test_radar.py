"""The radar on a real PostgreSQL: two siblings, eleven notifications, and a supervisor's look."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.routing.domain.radar import look_at
from services.routing.domain.windows import from_json
from shared.events import CodedFacts, Merged, Signal, Withdrawn
from tests.builders import NOON, AChild, SetClock
from tests.deskside import Desk, a_desk
from tests.siblings import BEGIN, ELEVEN, SCHOOL

DAY = timedelta(days=1)
MIGRATIONS = Path(__file__).parents[2] / "services" / "routing" / "migrations"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock(BEGIN)) as desk:
        yield desk


class Family:
    """Two children of one household, and what comes about them through routing's own handler."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.elder, self.younger = AChild(), AChild()
        self.home = uuid4()
        self.signals: list[Signal] = []

    async def notified(self, about: str, source: str, **more: Any) -> Signal:
        """One notification, from this system; `more` goes to the signal."""
        signal = await self.desk.cases.sealed(getattr(self, about), household=self.home, **more)
        signal = signal.model_copy(update={"source": source})
        await self.desk.cases.come(signal)
        self.signals.append(signal)
        return signal

    async def come(self, *which: int) -> None:
        """Notifications of the fixture, each on its day."""
        for number in which:
            each = ELEVEN[number - 1]
            self.desk.clock.now = BEGIN + each.day * DAY
            await self.notified(each.about, each.source, facts=CodedFacts(reasons=each.reasons))

    async def answer_checks(self) -> None:
        """Every open check is answered: not urgent."""
        self.desk.clock.forward(minutes=5)
        for row in await self.desk.rows("SELECT id FROM notification WHERE check_state = 'open'"):
            answer = {"answer": "not_urgent", "reason": "Soitettu."}
            told = await self.desk.post("aino", f"/checks/{row['id']}/answer", **answer)
            assert 200 == told.status_code, told.text

    async def case(self, about: str) -> Any:
        (row,) = await self.desk.rows(
            "SELECT * FROM child_case WHERE child = $1", getattr(self, about).id
        )
        return row

    async def levels(self) -> tuple[str, str]:
        return ((await self.case("elder"))["level"], (await self.case("younger"))["level"])

    async def looks(self) -> list[tuple[Any, str]]:
        rows = await self.desk.rows(
            "SELECT child, reason FROM duty_item WHERE outcome = 'look' ORDER BY child"
        )
        return [(row["child"], row["reason"]) for row in rows]


@pytest.fixture
def family(desk: Desk) -> Family:
    return Family(desk)


async def test_eleven_notifications_about_two_siblings_over_eight_months(family: Family) -> None:
    both = [(child, "radar") for child in sorted((family.elder.id, family.younger.id))]
    await family.come(1)
    assert "perus" == (await family.case("elder"))["level"]
    await family.come(2)
    assert "perus" == (await family.case("younger"))["level"]
    assert [] == await family.looks()

    await family.come(3)
    assert ("erityis", "erityis") == await family.levels()
    assert both == await family.looks()

    await family.come(4, 5, 6)
    assert ("erityis", "erityis") == await family.levels()
    await family.come(7)
    elder = await family.case("elder")
    assert ("vaativa", "duty", "open") == (elder["level"], elder["holder"], elder["urgency"])
    assert "safety" in elder["urgent_flags"].split()
    flagged = await family.desk.rows("SELECT id FROM notification WHERE flagged")
    assert [family.signals[6].id] == [row["id"] for row in flagged]
    await family.answer_checks()
    assert "expert_group" in (await family.case("elder"))["destinations"].split()

    for number in (8, 9, 10, 11):
        await family.come(number)
        elder = await family.case("elder")
        assert ("vaativa", True) == (elder["level"], "safety" in elder["urgent_flags"])
    await family.answer_checks()
    elder = await family.case("elder")
    assert "expert_group" in elder["destinations"].split()
    assert both == await family.looks(), "each child is looked at once"


async def test_a_supervisor_closes_the_look_and_nobody_else(family: Family) -> None:
    await family.come(1, 2, 3)
    item = look_at(family.elder.id).item
    path = f"/set-aside/{item}/close"

    listed = (await family.desk.get("kaisa", "/queues/duty/supervisor"))["items"]
    for worker in ("aino", "sosse"):
        refused = await family.desk.post(worker, path, reason="Katsottu.")
        problem = "urn:luotsi:problem:supervisor-needed"
        assert (403, problem) == (refused.status_code, refused.json()["type"])
    closed = await family.desk.post("kaisa", path, reason="Perheen tilanne katsottu yhdessä.")
    await family.come(4)

    cases = {str(family.elder.id), str(family.younger.id)}
    assert cases == {each["key"] for each in listed}
    assert 200 == closed.status_code, closed.text
    stands = await family.desk.rows("SELECT id FROM duty_item WHERE closed_at IS NULL")
    assert [look_at(family.younger.id).item] == [row["id"] for row in stands]


async def test_the_page_of_the_look_says_why_and_what_to_do(family: Family) -> None:
    await family.come(1, 2, 3)

    async with family.desk.browser("kaisa", "fi") as kaisa:
        page = (await kaisa.open(f"/items/{look_at(family.elder.id).item}")).text

    async with family.desk.browser("aino", "fi") as aino:
        others = (await aino.open(f"/items/{look_at(family.elder.id).item}")).text

    close = f"/items/{look_at(family.elder.id).item}/close"
    assert close in page
    assert close not in others, "nobody is offered what is refused"
    assert "Esihenkilö sulkee tämän." in others
    assert "Esihenkilö katsoo asiaa" in page
    assert "Sääntö on hyvinvointialueen oma" in page
    assert family.elder.name not in page


async def test_who_is_said_to_be_of_one_household_is_looked_at_then(family: Family) -> None:
    """Three messages about two children of whom nobody has said that they are siblings."""
    family.home = uuid4()
    await family.notified("elder", "school")
    await family.notified("elder", "police")
    family.home = uuid4()
    await family.notified("younger", "school")
    assert [] == await family.looks()

    done = await family.desk.post(
        "sosse", f"/cases/{family.elder.id}/household",
        other=str(family.younger.id), together=True, reason="Sisarukset.",
    )  # fmt: skip

    assert 200 == done.status_code, done.text
    assert 2 == len(await family.looks())


async def test_children_who_are_one_are_looked_at_as_one(family: Family) -> None:
    """Two and one messages: together they are three, from two sources."""
    family.home = uuid4()
    await family.notified("elder", "school")
    await family.notified("elder", "school")
    family.home = uuid4()
    await family.notified("younger", "police")

    await family.desk.cases.come(*merged(family.younger, family.elder))

    assert [(family.elder.id, "radar")] == await family.looks()
    assert "erityis" == (await family.case("elder"))["level"]


def merged(child: AChild, kept: AChild) -> list[Any]:
    """The two copies of a join."""
    change = uuid4()
    return [
        Merged(
            id=f"{change}.{place}", child=each.id, merged=child.id, kept=kept.id, number=1,
            kept_number=0, at=NOON,
        )
        for place, each in enumerate((child, kept))
    ]  # fmt: skip


async def test_what_was_taken_back_is_counted_no_longer(family: Family) -> None:

    await family.notified("elder", "school")
    await family.notified("elder", "police")
    third = await family.notified("younger", "school")
    assert ("erityis", "erityis") == await family.levels()

    await family.desk.cases.come(
        Withdrawn(
            id=f"{uuid4()}.0", child=family.younger.id, withdraws=third.id,
            received_at=family.desk.clock(),
        )
    )  # fmt: skip

    assert ("perus", "perus") == await family.levels()


async def test_cases_from_before_this_version_are_given_what_came_about_them(
    family: Family,
) -> None:
    await family.come(1, 2, 3, 4, 5)
    rows = "SELECT child, recent FROM child_case ORDER BY child"
    before = [(row["child"], from_json(row["recent"])) for row in await family.desk.rows(rows)]
    await family.desk.pool.execute("UPDATE child_case SET recent = '[]'")

    written = (MIGRATIONS / "0018_radar.sql").read_text(encoding="utf-8")
    begins = written.index("UPDATE child_case c SET recent")
    await family.desk.pool.execute(written[begins : written.index(";", begins)])

    after = [(row["child"], from_json(row["recent"])) for row in await family.desk.rows(rows)]
    assert before == after
    assert {3, 2} == {len(recent) for _, recent in after}


# --- a closed case --------------------------------------------------------------------------------


async def closed_case(family: Family) -> Signal:
    """Everything is done: the check answered, the family told, the assessment finished."""
    signal = await family.notified("elder", "school", facts=CodedFacts(reasons=(SCHOOL,)))
    await family.answer_checks()
    path = f"/cases/{family.elder.id}"
    number = (await family.case("elder"))["holder_seq"]
    await family.desk.post(
        "sosse", f"{path}/holder", holder="initial_assessment", holder_seq=number
    )
    for act in ("assessment-started", "family-told", "assessment-finished"):
        told = await family.desk.post("sosse", f"{path}/{act}")
        assert 200 == told.status_code, (act, told.text)
    assert [] == await family.desk.rows("SELECT 1 FROM clock WHERE stopped_at IS NULL")
    assert "initial_assessment" == (await family.case("elder"))["confirmed"]
    return signal


@pytest.mark.parametrize("received", [0, -10], ids=["new", "late"])
async def test_a_closed_case_opens_again_when_something_comes(
    family: Family, received: int
) -> None:
    await closed_case(family)
    family.desk.clock.forward(days=30)
    at = family.desk.clock() + received * DAY

    signal = await family.notified("elder", "police", received_at=at)

    elder = await family.case("elder")
    assert ("open", "duty", None) == (elder["urgency"], elder["holder"], elder["confirmed"])
    running = await family.desk.rows("SELECT about FROM clock WHERE stopped_at IS NULL")
    assert [signal.id] * 4 == [row["about"] for row in running]
    (listed,) = (await family.desk.get("aino", "/queues/duty/checks"))["items"]
    assert str(family.elder.id) == listed["child"]
