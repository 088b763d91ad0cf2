"""The feeds of the sample county: clients and their changes, staff, and a rota without holes."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import pytest

from deploy.sample import county
from deploy.sample.directory import gap_of
from deploy.sample.staff import WORKERS
from deploy.sample.truth import Truth
from deploy.sample.volumes import volumes
from deploy.sample.year import Plan
from services.routing.directory import DESK_ROLES
from services.routing.domain.rota import AHEAD, OnDuty, first_gaps
from shared.clients import ClientState
from shared.clock import HELSINKI
from shared.directory import Clinic, DirectoryEntry, Group, Shift, Staff, Unit
from shared.events import Matter
from shared.hetu import parse_hetu
from shared.kinds import FEED_TOPICS
from tests.sample_year import LAST_DAY, Year, read

FIGURES = volumes().clients_feed
E = TypeVar("E")

States = list[tuple[datetime, ClientState, Truth]]


@pytest.fixture(scope="module")
def states(year: Year) -> States:
    """Every state of a client as it is sent, in order."""
    return [
        (message.at, event, truth)
        for message, event, truth in year
        if isinstance(event, ClientState)
    ]


@pytest.fixture(scope="module")
def entries(year: Year) -> list[tuple[datetime, DirectoryEntry]]:
    return [(m.at, event) for m, event, _ in year if isinstance(event, DirectoryEntry)]


def share(number: int, of: int) -> float:
    return 100 * number / of


def versions(states: States) -> Iterator[list[ClientState]]:
    """Of each client what is known, the oldest version first."""
    of: dict[str, dict[int, ClientState]] = defaultdict(dict)
    for _, state, _ in states:
        of[state.reference][state.version] = state
    return ([own[version] for version in sorted(own)] for own in of.values())


def the(entries: list[tuple[datetime, DirectoryEntry]], what: type[E]) -> list[E]:
    return [each.entry for _, each in entries if isinstance(each.entry, what)]


# --- clients ------------------------------------------------------------------------------------


def test_the_year_begins_with_every_client_and_goes_on_with_what_changes(states: States) -> None:
    begin = states[0][0]
    first = [state for at, state, _ in states if at == begin]
    later = [state for at, state, _ in states if at > begin]
    assert {state.version for state in first} == {1}
    assert len({state.reference for state in first}) == len(first)
    assert len(first) > 2_000
    assert 0.5 < len(later) / len(first) < 1.5
    assert {state.clientship for state in later} == {"pending", "child_protection", "ended"}


def test_clientships_begin_and_end_in_their_shares(states: States) -> None:
    own = list(versions(states))
    begun = sum(each[0].clientship == "pending" for each in own)
    ended = sum(each[-1].clientship == "ended" and each[0].clientship != "pending" for each in own)
    assert share(ended, len(own) - begun) == pytest.approx(100 * FIGURES.ends, abs=4)
    assert share(begun, len(own)) == pytest.approx(11, abs=4)


def test_everything_that_may_change_does(states: States) -> None:
    changed: dict[str, int] = defaultdict(int)
    for own in versions(states):
        for name in ("responsible_worker", "placement", "unit", "moves", "declarations"):
            changed[name] += len({str(getattr(state, name)) for state in own}) > 1
        changed["address"] += len({state.person.address for state in own}) > 1
        changed["hetu"] += len({state.person.hetu for state in own}) > 1
    assert all(changed[name] >= 30 for name in changed if name != "hetu"), dict(changed)
    assert 1 <= changed["hetu"] < 40
    kinds = {move.kind for _, state, _ in states for move in state.moves or ()}
    assert kinds == {"unit", "ward", "home"}
    declared = {each.kind for _, state, _ in states for each in state.declarations or ()}
    assert declared == {"consent", "prohibition"}


def test_what_is_known_of_a_client_is_true_but_for_a_code_that_is_corrected(
    states: States,
) -> None:
    wrong = [s for _, s, truth in states if s.person.hetu != truth.children[0].hetu]
    newest = {own[0].reference: own[-1] for own in versions(states)}
    codes = {truth.entry: truth.children[0].hetu for _, _, truth in states}
    assert all(parse_hetu(str(state.person.hetu)).is_temporary for state in wrong)
    assert all(state.person.hetu == codes[ref] for ref, state in newest.items())
    for _, state, truth in states:
        assert truth.client == (state.clientship != "ended")
        assert (truth.entry, truth.version) == (state.reference, state.version)
        assert (state.turvakielto == "yes") == truth.turvakielto


def test_under_turvakielto_there_is_an_address_outside_of_it(states: States) -> None:
    hidden = [state for _, state, _ in states if state.turvakielto == "yes"]
    assert len(hidden) > 20
    for state in hidden:
        assert state.person.contact_address
        assert all(guardian.contact_address for guardian in state.guardians or ())


def test_a_few_states_come_late_or_again(states: States) -> None:
    newest: dict[str, int] = {}
    late = 0
    for _, state, truth in states:
        older = state.version < newest.get(state.reference, 0)
        assert older == truth.late or truth.repeat
        late += truth.late
        newest[state.reference] = max(state.version, newest.get(state.reference, 0))
    assert 0 < late < len(states) / 50
    assert 0 < sum(truth.repeat for _, _, truth in states) < len(states) / 50


def test_who_is_said_to_be_a_client_is_one_in_the_feed(year: Year, states: States) -> None:
    known = {truth.children[0].hetu for _, _, truth in states}
    for _, event, truth in year:
        if isinstance(event, Matter):
            for said, true in zip(event.children, truth.children, strict=True):
                assert said.is_client != "yes" or truth.client
                assert not truth.client or true.hetu in known or truth.moved_out


def test_siblings_have_one_household(states: States) -> None:
    of: dict[str, set[str | None]] = defaultdict(set)
    for _, state, truth in states:
        of[truth.household].add(state.household)
    assert all(len(each) == 1 for each in of.values())
    assert len({next(iter(each)) for each in of.values()}) == len(of)


# --- the directory ------------------------------------------------------------------------------


def test_every_worker_that_is_named_stands_in_the_directory_before(year: Year) -> None:
    staff: dict[str, Staff] = {}
    ended: set[str] = set()
    units: set[str] = set()
    for _, event, truth in year:
        if isinstance(event, DirectoryEntry) and isinstance(event.entry, Staff):
            staff[event.entry.staff_id] = event.entry
            ended |= {event.entry.staff_id} if event.ended else set()
        if isinstance(event, DirectoryEntry) and isinstance(event.entry, Unit):
            units.add(event.entry.unit_id)
        if isinstance(event, DirectoryEntry) and isinstance(event.entry, Shift | Group):
            named = event.entry.staff if isinstance(event.entry, Shift) else event.entry.members
            assert set(named) <= staff.keys()
        if isinstance(event, ClientState) and not truth.repeat and not truth.late:
            worker = event.responsible_worker
            assert (worker is None) == (event.clientship == "ended")
            assert worker is None or (worker in staff and worker not in ended)
            assert event.unit is None or event.unit in units
    assert {one.unit for one in staff.values()} <= units
    assert ended


def test_notifiers_name_the_workers_of_the_directory(year: Year) -> None:
    names = {e.entry.name for _, e, _ in year
             if isinstance(e, DirectoryEntry) and isinstance(e.entry, Staff)}  # fmt: skip
    told = {child.own_worker for _, event, _ in year if isinstance(event, Matter)
            for child in event.children if child.own_worker}  # fmt: skip
    assert len(told) > 30
    assert told <= names


def test_the_demos_own_workers_are_in_it_with_their_roles_and_stay(
    entries: list[tuple[datetime, DirectoryEntry]],
) -> None:
    for worker in WORKERS:
        own = [each for _, each in entries
               if isinstance(each.entry, Staff) and each.entry.staff_id == worker.id]  # fmt: skip
        assert len(own) == 1
        assert isinstance(own[0].entry, Staff)
        assert own[0].entry.name == worker.name
        assert own[0].entry.roles == (worker.role,)
        assert not own[0].ended


def test_some_of_the_staff_leave_and_some_are_away(
    entries: list[tuple[datetime, DirectoryEntry]],
) -> None:
    left = {each.entry_id for _, each in entries if each.ended}
    until = {each.entry_id for _, each in entries
             if isinstance(each.entry, Staff) and each.entry.active_until}  # fmt: skip
    returned = {each.entry_id for _, each in entries
                if isinstance(each.entry, Staff) and each.entry.active_from}  # fmt: skip
    assert 1 <= len(left) < 20
    assert left < until
    assert returned
    assert returned.isdisjoint(left)


def test_clinics_take_every_age_and_each_age_once(
    entries: list[tuple[datetime, DirectoryEntry]],
) -> None:
    clinics = the(entries, Clinic)
    ages = [age for clinic in clinics for age in range(clinic.age_min, clinic.age_max + 1)]
    assert sorted(ages) == list(range(18))


def test_somebody_is_on_duty_at_every_moment_of_the_year_and_the_weeks_after(
    entries: list[tuple[datetime, DirectoryEntry]],
) -> None:
    shifts = [OnDuty(s.kind, s.begins, s.ends) for s in the(entries, Shift) if s.staff]
    first = entries[0][0]
    for week in range(54):
        now = first + timedelta(weeks=week)
        near = [s for s in shifts if now - AHEAD < s.begins < now + 2 * AHEAD]
        assert set(first_gaps(near, now).values()) == {None}, now
    swapped = [each for _, each in entries if isinstance(each.entry, Shift) and each.version > 1]
    assert 10 < len(swapped) < 80


def of_a_month(**options: Any) -> list[OnDuty]:
    """The shifts that somebody has."""
    newest: dict[str, Shift] = {}
    for message in county.month(last_day=LAST_DAY, children=1_000, **options):
        event = read(message) if message.topic in FEED_TOPICS else None
        if isinstance(event, DirectoryEntry) and isinstance(event.entry, Shift):
            newest[event.entry_id] = event.entry  # a newer version comes later
    return [OnDuty(s.kind, s.begins, s.ends) for s in newest.values() if s.staff]


def test_a_month_begins_with_the_rota_that_is_known_and_knows_the_next_weeks() -> None:
    shifts = of_a_month()
    begin = datetime(2026, 10, 24, tzinfo=HELSINKI)
    assert min(shift.begins for shift in shifts) == begin
    for day in range(37):
        assert set(first_gaps(shifts, begin + timedelta(days=day)).values()) == {None}


def test_the_gap_is_there_only_where_it_is_asked_for() -> None:
    now = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), HELSINKI)
    day, _ = gap_of(Plan(1, LAST_DAY))
    gaps = first_gaps(of_a_month(rota_gap=True), now)
    assert gaps["sosiaalipaivystys"] == datetime(day.year, day.month, day.day, 16, tzinfo=HELSINKI)
    assert gaps["office_hours"] is None
    assert LAST_DAY < day <= LAST_DAY + timedelta(days=7)


def test_roles_are_of_those_that_the_desk_knows_and_of_experts(
    entries: list[tuple[datetime, DirectoryEntry]],
) -> None:
    roles = {role for staff in the(entries, Staff) for role in staff.roles}
    assert roles >= {*DESK_ROLES, "expert", "secretary"}


def test_what_has_ended_before_a_month_is_not_told_at_its_beginning() -> None:
    late = date(2026, 11, 22)
    known = [
        event
        for message in county.month(last_day=late, days=1, children=3_000)
        if isinstance(event := read(message), DirectoryEntry | ClientState)
    ]
    assert not [e for e in known if isinstance(e, DirectoryEntry) and e.ended]
    begun = [e for e in known if isinstance(e, ClientState) and e.clientship == "ended"]
    assert len(begun) < 5, "only those that ended on the day itself"
