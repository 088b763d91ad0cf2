"""The client feed of the sample county: what its client information system knows, as it changes.

Every child of a family that is a client at some time of the year has a history of versions: one
from before the year, or the one with which it became a client, and one for each thing that
changed since. A period begins with the newest version of each from before it. A plan holds ten
bytes a version; the histories are made when they are asked for.
"""

from array import array
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

import orjson

from deploy.sample import words
from deploy.sample.directory import responsible, tag_of
from deploy.sample.families import (
    Clientship,
    Household,
    clientship_of,
    hetu_of,
    household_on,
    local,
    name_of,
    turn_of,
)
from deploy.sample.message import Message, headers_of
from deploy.sample.rhythm import DAYS
from deploy.sample.schooling import Schooling
from deploy.sample.truth import Truth, true_child
from deploy.sample.volumes import volumes
from deploy.sample.year import (
    A_DAY,
    CODES_OF_PEOPLE,
    CODES_PER_DAY,
    OTHERS,
    Group,
    Person,
    Plan,
    in_time_order,
    mixed,
    seeded,
)
from shared.clock import HELSINKI
from shared.kinds import CLIENT

SOURCE: Final = "clients-1"
_PLACEMENTS = ("open_care", "open_care", "urgent", "care", "care", "care")
_KINDS_OF_MOVE = ("unit", "unit", "unit", "ward", "home")
_ABOUT = ("Koulun kanssa saa vaihtaa tietoja.", "Terveydenhuollon kanssa saa vaihtaa tietoja.")


class Known(NamedTuple):
    """One move or declaration, from its day on."""

    day: date
    body: dict[str, Any]


class State(NamedTuple):
    """One version of what is known of a child, from `at` on (seconds since 1970)."""

    at: int
    version: int
    clientship: str


class Sent(NamedTuple):
    """A state on its way. `known`: it was so before the period; `late`: a newer one went first."""

    sent: int
    client: int
    place: int
    known: bool = False
    again: bool = False
    late: bool = False


class Child:
    """A child of a client family, with all that becomes known of it in the year."""

    def __init__(self, plan: Plan, group: Group, person: Person, clientship: Clientship) -> None:
        self.plan, self.group, self.person = plan, group, person
        self.clientship = clientship
        self._rng = rng = seeded(mixed(plan.base, 50, person.number))
        figures = volumes().clients_feed
        self.first = plan.last_day - timedelta(days=DAYS - 1)
        self.begins = clientship.begins
        if person.born >= (self.begins or self.first):
            self.begins = person.born  # known from birth
        self.ends = clientship.ends
        if group.left:
            left = local(group.left).date()
            self.ends = left if self.ends is None else min(self.ends, left)
        before = timedelta(days=rng.randrange(30, 1500))
        self.since = self.begins or max(self.first - before, person.born)
        self.moves = self._moves()
        self.declarations = self._declarations()
        self.corrected = self._day() if rng.random() < figures.hetu_corrected else None
        self.states = self._states()

    def _day(self) -> date:
        """A day on which something may become known, while the family is a client."""
        begin = self.begins or self.first
        end = self.ends or self.plan.last_day
        room = max(1, (end - begin).days - 1)
        return begin + timedelta(days=1 + self._rng.randrange(room))

    def _moves(self) -> list[Known]:
        """Placement and moves: the first perhaps before the year."""
        rng, figures = self._rng, volumes().clients_feed
        placed = rng.random() < figures.placed and self.begins is None
        if placed:
            day = self.since + timedelta(days=rng.randrange(max(1, (self.first - self.since).days)))
        elif rng.random() < figures.newly_placed:
            day = self._day()
        else:
            return []
        placement = _PLACEMENTS[rng.randrange(len(_PLACEMENTS))]
        unit = f"unit-home-{1 + rng.randrange(len(words.HOMES))}"
        moves = [Known(day, {"kind": "unit", "to_unit": unit, "placement": placement})]
        if rng.random() < figures.moves_on:
            kind = _KINDS_OF_MOVE[rng.randrange(len(_KINDS_OF_MOVE))]
            to = {"unit": f"unit-home-{1 + rng.randrange(len(words.HOMES))}", "ward": "ward-1"}
            later = {"kind": kind, "from_unit": unit, "to_unit": to.get(kind),
                     "placement": "none" if kind == "home" else placement}  # fmt: skip
            moves.append(Known(max(self._day(), day + timedelta(days=1)), later))
        return moves

    def _declarations(self) -> list[Known]:
        rng, figures, found = self._rng, volumes().clients_feed, []
        for kind, share in (("consent", figures.consents), ("prohibition", figures.prohibitions)):
            if rng.random() < share:
                early = self.begins is None and rng.random() < 0.6
                day = self.since if early else self._day()
                reference = f"{kind[0].upper()}-{self.person.number}"
                about = _ABOUT[rng.randrange(2)] if kind == "consent" else None
                body = {"kind": kind, "reference": reference, "valid_from": day.isoformat()}
                party = {"party": "Huoltajan työnantaja"} if kind == "prohibition" else {}
                found.append(Known(day, {**body, **party, **({"about": about} if about else {})}))
        return found

    def _states(self) -> list[State]:
        """The versions in time order: one before the year, or the one that began it."""
        plan, begins, ends = self.plan, self.begins, self.ends
        if begins is not None and ends is not None and ends <= begins:
            return []  # gone before
        days = [each.day for each in (*self.moves, *self.declarations)]
        days += [day for day in (self.clientship.changes, self.corrected) if day]
        days += self._workers_leave()
        household = household_on(plan, self.group, plan.last_day)
        days += [household.moved] if household.moved else []
        first = begins or self.first
        if begins is not None:
            days.append(begins + timedelta(days=30 + self._rng.randrange(30)))
        last = ends or plan.last_day + timedelta(days=1)
        days = sorted({day for day in days if first < day < last and day <= plan.last_day})
        before = first - timedelta(days=1) if begins is None else first
        states = [self._state(before, 1, "child_protection" if begins is None else "pending")]
        for day in days:
            pending = begins is not None and (day - begins).days < 30
            status = "pending" if pending else "child_protection"
            states.append(self._state(day, len(states) + 1, status))
        if ends is not None and ends <= plan.last_day:
            states.append(self._state(ends, len(states) + 1, "ended"))
        return states

    def _workers_leave(self) -> Iterator[date]:
        """When the family gets another worker because its own leaves."""
        changes, never = self.clientship.changes, self.plan.last_day + timedelta(days=1)
        for turn, begin, end in ((0, self.first, changes or never), (1, changes, never)):
            worker = responsible(self.plan, self.group.household, self.first, turn)
            if begin and worker.leaves and begin < worker.leaves < end:
                yield worker.leaves

    def _state(self, day: date, version: int, clientship: str) -> State:
        morning = datetime.combine(day, time(8), HELSINKI)
        second = mixed(self.plan.base, 51, self.person.number * 64 + version) % 28_000
        return State(int(morning.timestamp()) + second, version, clientship)


class Clients:
    """All children of client families, and every version of the year."""

    def __init__(self, plan: Plan, schooling: Schooling) -> None:
        self._plan, self._schooling = plan, schooling
        self._group, self._child = array("I"), array("B")
        self._sent, self._client = array("I"), array("I")
        self._place, self._mark = array("B"), array("B")
        for number in range(plan.groups):
            self._add(plan.group(number))
        for number in range(schooling.others):
            self._add(schooling.other(number))

    def in_order(self, start: int) -> Iterator[Sent]:
        """What is known at `start` (seconds since 1970), then every version as it is sent."""
        for client in range(len(self._group)):
            states = self.child(client).states
            before = [place for place, state in enumerate(states) if state.at < start]
            if before and states[before[-1]].clientship != "ended":
                yield Sent(start, client, before[-1], known=True)
        for row in in_time_order(self._sent, start):
            mark = self._mark[row]
            yield Sent(
                self._sent[row], self._client[row], self._place[row],
                again=mark == 1, late=mark == 2,
            )  # fmt: skip

    def child(self, client: int) -> Child:
        """A child of the feed."""
        number = self._group[client]
        schooling, plan = self._schooling, self._plan
        group = schooling.other(number - OTHERS) if number >= OTHERS else plan.group(number)
        clientship = clientship_of(plan, group.household)
        assert clientship is not None  # noqa: S101 -- `_add` took only such
        return Child(plan, group, group.people[self._child[client]], clientship)

    def _add(self, group: Group) -> None:
        clientship = clientship_of(self._plan, group.household)
        if group.unborn or clientship is None:
            return
        for place, person in enumerate(group.people):
            client = len(self._group)
            self._group.append(group.number)
            self._child.append(place)
            states = Child(self._plan, group, person, clientship).states
            for number, state in enumerate(states):
                for sent, mark in self._sendings(client, states, number):
                    if self._plan.begins <= state.at and sent <= self._plan.ends:
                        self._sent.append(sent)
                        self._client.append(client)
                        self._place.append(number)
                        self._mark.append(mark)

    def _sendings(self, client: int, states: list[State], number: int) -> Iterator[tuple[int, int]]:
        """When a version is sent, and as what: 0 in its turn, 1 once more, 2 late."""
        figures, state = volumes().clients_feed, states[number]
        rng = seeded(mixed(self._plan.base, 52, self._group[client] * 64 + number))
        late = rng.random() < figures.out_of_order and number + 1 < len(states)
        if late:
            yield states[number + 1].at + rng.randrange(60, A_DAY), 2
        else:
            yield state.at, 0
        if rng.random() < figures.sent_again and not late:
            yield state.at + rng.randrange(2 * A_DAY, 9 * A_DAY), 1


def write_state(clients: Clients, each: Sent) -> Message:
    """One message of the feed; the same bytes whenever it is asked for."""
    child = clients.child(each.client)
    state = child.states[each.place]
    reference, ident = _reference(child), _ident(child, state, each)
    at = each.sent if each.known else state.at
    arrived = datetime.fromtimestamp(at, UTC).isoformat()
    body = {"arrived_at": arrived, "reference": reference, "version": state.version}
    return Message(
        at=datetime.fromtimestamp(each.sent, UTC), source=SOURCE, source_id=ident, kind="client",
        topic=CLIENT.topic, key=reference.encode(),
        headers=headers_of(SOURCE, ident, CLIENT.type, arrived),
        value=orjson.dumps(body | _said(child, state)),
    )  # fmt: skip


def truth_of_state(clients: Clients, each: Sent) -> Truth:
    """The truth about one message of the feed."""
    child = clients.child(each.client)
    state, group = child.states[each.place], child.group
    household = household_on(child.plan, group, local(state.at).date())
    return Truth(
        SOURCE, _ident(child, state, each), local(each.sent).isoformat(), "client",
        children=(true_child(child.person, group, household),),
        household=f"household-{group.household}",
        siblings=f"group-{group.number}",
        urgent=False,
        marked=False,
        repeat=each.again,
        about=None,
        dispute=group.dispute,
        turvakielto=household.turvakielto,
        moved=household.moved,
        moved_out=local(group.left).date() if group.left else None,
        client=state.clientship != "ended",
        entry=_reference(child),
        version=state.version,
        late=each.late,
    )  # fmt: skip


def _reference(child: Child) -> str:
    return f"{tag_of(child.plan)}-{child.person.number}"


def _ident(child: Child, state: State, each: Sent) -> str:
    """The id of a message: one a version, and one of its own when a period begins with it."""
    begins = f".{local(each.sent):%Y%m%d}" if each.known else ""
    return f"{_reference(child)}.{state.version}{begins}"


def _said(child: Child, state: State) -> dict[str, Any]:
    """What is known of a child at the time of a state."""
    plan, day = child.plan, local(state.at).date()
    household = household_on(plan, child.group, day)
    here = state.clientship != "ended"
    moves = [each for each in child.moves if each.day <= day]
    last = moves[-1].body if moves else {}
    turn = turn_of(child.clientship, day)
    body: dict[str, Any] = {
        "person": _person(child, household, day),
        "clientship": state.clientship,
        "since": child.since.isoformat(),
        "placement": last.get("placement", "none") if here else "none",
        "moves": [
            {"on": each.day.isoformat()} | {k: v for k, v in each.body.items() if k != "placement"}
            for each in moves
        ],
        "household": f"{tag_of(plan)}-h-{child.group.household}",
        "guardians": [
            _guardian(g, household, len(household.guardians)) for g in household.guardians
        ],
        "interpreter": _interpreter(plan, child.group.household),
        "turvakielto": "yes" if household.turvakielto else "no",
        "declarations": [each.body for each in child.declarations if each.day <= day],
    }
    if here:
        worker = responsible(plan, child.group.household, day, turn)
        body["responsible_worker"] = worker.id
        if last.get("to_unit"):
            body["unit"] = last["to_unit"]
    return body


def _person(child: Child, household: Household, day: date) -> dict[str, Any]:
    code = hetu_of(child.person)
    if child.corrected is not None and day < child.corrected:
        nobodys = CODES_OF_PEOPLE + child.person.number % (CODES_PER_DAY - CODES_OF_PEOPLE)
        code = hetu_of(child.person._replace(code=nobodys))
    person = {
        "name": name_of(child.person, household), "hetu": code,
        "language": "sv" if household.swedish else "fi", "address": household.home.address,
    }  # fmt: skip
    if household.turvakielto:
        person["contact_address"] = _CONTACT
    return person


_CONTACT: Final = "Kuuselan hyvinvointialue, PL 100, Kuusela"


def _guardian(guardian: dict[str, str], household: Household, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        **guardian, "language": "sv" if household.swedish else "fi",
        "custody": "joint" if number > 1 else "sole",
        "turvakielto": "yes" if household.turvakielto else "no",
    }  # fmt: skip
    if household.turvakielto:
        found["contact_address"] = _CONTACT
    return found


def _interpreter(plan: Plan, household: int) -> str:
    chance = seeded(mixed(plan.base, 53, household)).random()
    return "yes" if chance < volumes().clients_feed.interpreter else "no"
