"""The directory feed: staff and their rights, the duty rota and its gaps, the newest version."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from services.intake.handlers import messages
from services.routing import directory
from services.routing.domain.rota import OfficeHours
from shared import events, metrics
from shared import store as plumbing
from shared.contract import EXAMPLES
from shared.directory import DirectoryEntry
from shared.events import DirectorySignal
from shared.ids import time_ordered_id
from tests.builders import NOON, SetClock
from tests.deskside import Desk, a_desk
from tests.intakeside import NOW, Intake, told
from tests.intakeside import intake as plain_intake

__all__ = ["plain_intake"]

EXAMPLE: dict[str, Any] = orjson.loads((EXAMPLES / "directory.json").read_bytes())
STAFF: dict[str, Any] = EXAMPLE["entry"]


@pytest.fixture
def intake(plain_intake: Intake) -> Intake:
    """Intake that believes the directory of one source."""
    feeders = {"directory": frozenset({"hr-1"})}
    plain_intake.inbox = messages(plain_intake.sealer, lambda: NOW, feeders)
    return plain_intake


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as made:
        yield made


async def say(intake: Intake, ident: str, source: str = "hr-1", **changes: Any) -> Any:
    return await intake.take({**EXAMPLE, **changes}, ident, source, kind="directory")


async def sealed(
    desk: Desk, entry: UUID, said: Mapping[str, Any], version: int = 1, *, ended: bool = False
) -> DirectorySignal:
    """An entry as intake tells of it."""
    checked = DirectoryEntry.model_validate_json(
        json.dumps({"entry_id": "e", "version": version, "entry": said})
    )
    ident = f"{time_ordered_id(NOON)}.0"
    async with desk.pool.acquire() as conn:
        if not await conn.fetchval("SELECT 1 FROM keys.data_key WHERE id = $1", entry):
            await plumbing.add_data_keys(conn, [desk.cases.sealer.new_key(entry)])
        await desk.cases.sealer.load(conn, [entry])
    content = checked.entry.model_dump_json().encode()
    card = desk.cases.sealer.seal(entry, "card", ident, content)
    return DirectorySignal(
        id=ident, entry=entry, received_at=NOON, what=checked.entry.what, version=version,
        ended=ended, card=card,
    )  # fmt: skip


async def take(desk: Desk, *signals: DirectorySignal) -> None:
    for signal in signals:
        async with desk.pool.acquire() as tx, tx.transaction():
            (row,) = await desk.cases.take(tx, [signal])
        assert (row.outcome, list(row.answers)) == ("applied", [])


def staff(ident: str = "uusi", **more: Any) -> dict[str, Any]:
    return {
        "what": "staff",
        "staff_id": ident,
        "name": "Uusi Työntekijä",
        "roles": ["duty"],
        **more,
    }


def shift(kind: str, hours: float = 24 * 9, **more: Any) -> dict[str, Any]:
    begins = NOON - timedelta(days=1)
    return {
        "what": "rota", "kind": kind, "begins": begins.isoformat(),
        "ends": (begins + timedelta(hours=hours)).isoformat(), "staff": ["aino"], **more,
    }  # fmt: skip


# --- at intake -----------------------------------------------------------------------------------


async def test_an_entry_is_sealed_and_keeps_its_random_id(intake: Intake) -> None:
    first = await say(intake, "d-1")
    second = await say(intake, "d-2", version=4)

    (one,), (two,) = (
        [DirectorySignal.model_validate(s, strict=False) for s in told(row, events.SIGNAL)]
        for row in (first, second)
    )
    assert (one.entry, one.version, two.version) == (two.entry, 3, 4)
    sent = b"".join(a.key + a.value for row in (first, second) for a in row.answers)
    for canary in (b"Sosse", b"sosse", b"0000002", b"staff-77", b"unit-3"):
        assert canary not in sent
    opened = intake.sealer.open(one.card, "card", one.id)
    assert orjson.loads(opened)["name"] == "Sosse Koe"


async def test_nobody_becomes_a_worker_by_a_source_that_the_county_has_not_named(
    intake: Intake,
) -> None:
    row = await say(intake, "d-1", "school-1")

    assert (row.outcome, row.reason) == ("quarantined", "not-your-kind")


@pytest.mark.parametrize(
    "entry",
    [
        {**STAFF, "staff_id": "a b"},
        {**STAFF, "roles": ["king"]},
        {**STAFF, "what": "robot"},
        {"what": "rota", "kind": "office_hours", "begins": "2026-01-02T08:00:00+02:00",
         "ends": "2026-01-02T08:00:00+02:00"},
        {"what": "rota", "kind": "office_hours", "begins": "2026-01-02T08:00:00",
         "ends": "2026-01-02T16:00:00"},
        {"what": "clinic", "clinic_id": "c", "name": "C", "kind": "child", "age_min": 9,
         "age_max": 8},
        {"what": "unit", "unit_id": "010594-9032", "name": "U"},
    ],
    ids=["id", "role", "what", "no time", "no zone", "ages", "hetu"],
)  # fmt: skip
async def test_hostile_entries_are_set_aside(intake: Intake, entry: dict[str, Any]) -> None:
    row = await say(intake, "d-1", entry=entry)

    assert (row.outcome, row.reason) == ("quarantined", "invalid-content")
    assert b"010594" not in b"".join(a.value for a in row.answers)


# --- staff ---------------------------------------------------------------------------------------


async def test_staff_may_log_in_until_they_are_withdrawn_in_the_middle_of_a_session(
    desk: Desk,
) -> None:
    entry = uuid4()
    await take(desk, await sealed(desk, entry, staff()))
    async with desk.browser("uusi") as browser:
        before = await browser.open("/queues/duty")
        await take(desk, await sealed(desk, entry, staff(), 2, ended=True))
        after = await browser.open("/queues/duty")
        again = await browser.client.post("/login", data={"worker": "uusi"})
    act = await desk.post("uusi", f"/cases/{uuid4()}/family-told")

    assert (before.status_code, "Uusi Työntekijä" in before.text) == (200, True)
    assert (after.status_code, after.headers["location"]) == (303, "/login?next=/queues/duty")
    assert (again.status_code, act.status_code) == (404, 401)


@pytest.mark.parametrize(
    "more",
    [
        {"active_until": str(NOON.date() - timedelta(days=1))},
        {"active_from": str(NOON.date() + timedelta(days=1))},
        {"roles": ["expert"]},
        {"roles": []},
    ],
)
async def test_without_a_role_or_outside_of_the_active_days_nobody_logs_in(
    desk: Desk, more: dict[str, Any]
) -> None:
    await take(desk, await sealed(desk, uuid4(), staff(**more)))

    async with desk.client() as client:
        answer = await client.post("/login", data={"worker": "uusi"})

    assert answer.status_code == 404
    assert (await desk.rows("SELECT name FROM worker WHERE id = 'uusi'"))[0]["name"]


async def test_the_newest_version_counts_in_whatever_order(desk: Desk) -> None:
    ends = set()
    for number, order in enumerate(permutations(range(3))):
        entry, ident = uuid4(), f"w-{number}"
        come = [
            await sealed(desk, entry, staff(ident, roles=["duty"]), 1),
            await sealed(desk, entry, staff(ident, roles=["supervisor", "duty"]), 2),
            await sealed(desk, entry, staff(ident, roles=["supervisor"]), 3, ended=True),
        ]
        await take(desk, *(come[place] for place in order))
        rows = await desk.rows("SELECT withdrawn FROM worker WHERE id = $1", ident)
        ends.add(all(row["withdrawn"] for row in rows))

    assert ends == {True}, "an ended worker never comes back by an older message"


async def test_a_new_entry_of_the_same_person_outlives_the_end_of_the_old_one(desk: Desk) -> None:
    old, new = uuid4(), uuid4()
    await take(
        desk,
        await sealed(desk, old, staff()),
        await sealed(desk, new, staff(roles=["supervisor"])),
        await sealed(desk, old, staff(), 2, ended=True),
    )

    (row,) = await desk.rows("SELECT role, withdrawn FROM worker WHERE id = 'uusi'")
    assert tuple(row) == ("supervisor", False)


async def test_units_groups_and_clinics_are_kept_and_ended(desk: Desk) -> None:
    said: dict[str, dict[str, Any]] = {
        "unit": {"what": "unit", "unit_id": "u-1", "name": "Yksikkö"},
        "care_group": {"what": "group", "group_id": "g-1", "name": "Ryhmä", "members": ["aino"]},
        "clinic": {
            "what": "clinic", "clinic_id": "c-1", "name": "Poli", "kind": "child", "age_min": 0,
            "age_max": 12,
        },
    }  # fmt: skip
    entries = {table: uuid4() for table in said}
    for table, entry in entries.items():
        await take(desk, await sealed(desk, entry, said[table]))
    assert all([await desk.rows(f"SELECT 1 FROM {table}") for table in said])  # noqa: S608
    for table, entry in entries.items():
        await take(desk, await sealed(desk, entry, said[table], 2, ended=True))

    assert not any([await desk.rows(f"SELECT 1 FROM {table}") for table in said])  # noqa: S608


async def test_no_name_of_staff_is_in_the_event_log_in_the_clear(desk: Desk) -> None:
    await take(desk, await sealed(desk, uuid4(), staff(name="Kanaria Ääkkönen")))

    rows = await desk.rows("SELECT body, key FROM event_log")
    assert rows
    assert b"Kanaria" not in b"".join(bytes(row["body"]) for row in rows)


# --- the duty rota -------------------------------------------------------------------------------


async def pages(desk: Desk) -> dict[str, str]:
    found = {}
    for worker in ("aino", "kaisa"):
        async with desk.browser(worker) as browser:
            found[worker] = (await browser.open("/queues/duty")).text
    return found


async def test_a_rota_that_was_never_sent_is_unknown_and_no_alarm(desk: Desk) -> None:
    page = (await pages(desk))["kaisa"]

    assert "The duty rota is not known" in page
    assert "Nobody is on the duty rota" not in page


async def test_a_gap_stands_on_every_page_of_a_supervisor_until_it_is_covered(desk: Desk) -> None:
    night, office = uuid4(), uuid4()
    await take(desk, await sealed(desk, night, shift("sosiaalipaivystys")))
    gap = await pages(desk)
    await take(desk, await sealed(desk, office, shift("office_hours")))
    covered = await pages(desk)
    await take(desk, await sealed(desk, night, shift("sosiaalipaivystys", staff=[]), 2))
    empty = await pages(desk)

    assert "Nobody is on the duty rota</strong>: duty in office hours, now" in gap["kaisa"]
    assert "Nobody is on the duty rota" not in gap["aino"]
    assert "duty rota" not in covered["kaisa"]
    assert "social emergency service, from 17 Nov 2026, 16:00" in empty["kaisa"]


async def test_a_shift_of_somebody_who_left_is_a_gap(desk: Desk) -> None:
    person = uuid4()
    await take(
        desk,
        await sealed(desk, person, staff()),
        await sealed(desk, uuid4(), shift("sosiaalipaivystys")),
        await sealed(desk, uuid4(), shift("office_hours", staff=["uusi"])),
    )
    assert await gaps(desk) == {"office_hours": None, "sosiaalipaivystys": None}

    await take(desk, await sealed(desk, person, staff(), 2, ended=True))

    assert (await gaps(desk))["office_hours"] == NOON


async def gaps(desk: Desk) -> Any:
    async with desk.pool.acquire() as conn:
        return await directory.rota_gaps(conn, desk.clock(), OfficeHours())


async def test_the_gauge_tells_the_seconds_until_the_gap(desk: Desk) -> None:
    assert await gaps(desk) is None
    directory.show(None, NOON)
    assert metrics.ROTA_KNOWN.labels("routing")._value.get() == 0

    await take(desk, await sealed(desk, uuid4(), shift("sosiaalipaivystys", 24 + 7)))
    directory.show(await gaps(desk), NOON)

    assert metrics.ROTA_KNOWN.labels("routing")._value.get() == 1
    assert metrics.ROTA_GAP_SECONDS.labels("office_hours")._value.get() == 0
    assert metrics.ROTA_GAP_SECONDS.labels("sosiaalipaivystys")._value.get() == 7 * 3600


def test_the_day_of_these_tests_is_a_working_day() -> None:
    assert (NOON.date(), NOON.weekday()) == (date(2026, 11, 17), 1)
