"""What happens to a case: pure functions over its row, collecting what is to be written.

A case is one child's. Its row is locked while it changes, so `seq`, the gapless number of every
event that leaves about the child, is given here, to batches and to people's acts alike.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson

from services.routing.domain.absence import asks_urgency, counts_at_once, is_returned
from services.routing.domain.clients import NOTHING_SAID, ClientRow, OfClient
from services.routing.domain.clocks import ClockSettings, Limits, limits_of, urgent_by
from services.routing.domain.county import Settings, counted_in, derive_in, made_in
from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import (
    COUNTED,
    COUNTS,
    NOTHING_KNOWN,
    Answered,
    Known,
    Made,
    Told,
    UrgencyState,
    known_when,
    learn,
)
from services.routing.domain.households import ALONE, Family, with_family, with_windows
from services.routing.domain.questions import Questions
from services.routing.domain.radar import radar_rows, says_yes
from services.routing.domain.tables import Row, Tables, TablesRefusedError
from services.routing.domain.windows import NONE_SEEN, Recent, latest, recent_of, seen, together
from shared import events
from shared.clock import HELSINKI
from shared.events import (
    AgeBand,
    Answer,
    CaseEventKind,
    CodedAbsence,
    CodedFacts,
    Destination,
    Holder,
    Level,
    Signal,
    Withdrawn,
)
from shared.store import Outgoing

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter is taken for a digit
_PLACED = OfClient._fields.index("placed")
_NOT_TOLD = NOTHING_SAID[_PLACED:]
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


@dataclass(slots=True)
class Case:
    """One row of `child_case`."""

    child: UUID
    mark: str
    age_band: AgeBand
    provisional: bool
    first_at: datetime
    last_at: datetime
    seq: int = 0
    version: int = 0
    known: Known = NOTHING_KNOWN
    urgency: UrgencyState = "open"
    urgent_flags: tuple[str, ...] = ()
    level: Level = "perus"
    holder: Holder = "duty"
    destinations: tuple[Destination, ...] = ()
    decision_seq: int = 0
    holder_seq: int = 0
    confirmed: Holder | None = None
    identified_by: str | None = None
    identified_band: AgeBand | None = None
    is_new: bool = False
    client: OfClient = NOTHING_SAID
    joined: tuple[UUID, ...] = ()  # whose notifications are this case's too, for now
    family: Family = ALONE
    recent: Recent = NONE_SEEN  # the messages that can count for the windows
    answered_at: datetime | None = None  # when a worker was last told something about it
    opened_at: datetime | None = None  # see `pending_since`; None: its first receipt
    pending: bool = True  # whether an assessment is still to be made, or to be found unnecessary
    known_until: datetime | None = None  # the latest message or act that its decisions know
    look_asked: bool = False  # whether a supervisor has been asked to look (`radar`)
    as_read: int = -1  # its version in the database; -1: it is not there yet

    @property
    def stated(self) -> Known:
        """What decisions are made from: what is known of the child and adds its household.

        The client information system's word on clientship wins over a notifier's.
        """
        known = with_family(self.known, self.family)
        known = with_windows(known, self.recent, self.family)
        client = self.client
        if client is NOTHING_SAID:
            return known
        if client.existing != "unknown":
            known = known._replace(is_client=client.existing)
        if client[_PLACED:] == _NOT_TOLD:
            return known
        return known._replace(
            placed=client.placed, placed_urgently=client.placed_urgently,
            has_worker=client.has_worker, moves=client.moves,
        )  # fmt: skip

    @property
    def pending_since(self) -> datetime:
        """The receipt that opened the matter pending now, or the one that was pending last.

        The county's settings of that day are those that its decisions are made with.
        """
        return self.opened_at or self.first_at

    @property
    def is_empty(self) -> bool:
        """Whether every notification it had turned out to be another child's."""
        return self.first_at > self.last_at


class NotificationRow(NamedTuple):
    """One notification of a case, in the order of COPY's columns."""

    id: str
    child: UUID
    received_at: datetime
    check_state: str
    flagged: bool
    arrived_as: UUID
    siblings: int
    kind: str
    facts: str
    corrects: str | None
    replaced_by: str | None
    source: str
    source_id: str
    missing: str
    returned: str | None
    belongs_to: UUID | None
    age_band: str
    provisional: bool


class DecisionRow(NamedTuple):
    """One screening, in the order of COPY's columns; lists of codes are joined by a space."""

    child: UUID
    seq: int
    because: str
    decided_at: datetime
    facts: str
    rows: str
    urgent_flags: str
    level: str
    holder: str
    destinations: str
    rules: str
    rules_hash: str
    joined: str | None
    ask: str  # what could still change it, the most decisive first; empty: it is final
    known_until: datetime | None


class Documented(NamedTuple):
    """What a client information system needs besides, so that nobody types an act twice.

    `messages`: each as ``source/id``; `answer`: what a person answered, in a code.
    """

    messages: Sequence[str] = ()
    answer: str | None = None


NOTHING_DOCUMENTED = Documented()


class ClockSet(NamedTuple):
    """The clocks of one receipt: its own times, and the limits it shares with its day.

    `in_days` says whether those counted in days run besides that of urgency, `urgency` whether that
    one runs.
    """

    child: UUID  # the item's id where there is no child
    about: str
    started_at: datetime
    urgent_by: datetime
    limits: Limits
    in_days: bool = True
    urgency: bool = True


@dataclass(slots=True)
class Changes:
    """All that one transaction writes about cases.

    `taken_back`: id of a signal -> id of what takes its place or takes it back, as far as that came
    before it. `standing` and `answered`: what notifications state of the children who are counted
    anew, because something is taken back or an answer came before, and what was answered.
    `belongs_to`: signals that are about another child than the one they arrive as. `moved_in`:
    (household, child) as messages say. `looks`: at whose cases a supervisor is asked to look,
    and because of what. `touched`: signals that come late, or instead of earlier ones -> the case
    whose past they touch.
    """

    cases: dict[UUID, Case] = field(default_factory=dict)
    notifications: list[NotificationRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    clocks: list[ClockSet] = field(default_factory=list)
    proposed: list[tuple[UUID, str, datetime]] = field(default_factory=list)
    withdrawn: list[tuple[UUID, str]] = field(default_factory=list)
    taken_back: dict[str, str] = field(default_factory=dict)
    standing: dict[UUID, dict[str, Told]] = field(default_factory=dict)
    answered: dict[UUID, list[Answered]] = field(default_factory=dict)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    clients: list[ClientRow] = field(default_factory=list)
    belongs_to: dict[str, UUID] = field(default_factory=dict)
    moved_in: list[tuple[UUID, UUID]] = field(default_factory=list)
    looks: list[tuple[UUID, str]] = field(default_factory=list)
    touched: dict[str, UUID] = field(default_factory=dict)


class Rules:
    """What decisions are made with: the tables, and the county's settings, the earliest first.

    Without any settings all that the tables propose is taken to be there.
    """

    def __init__(
        self,
        tables: Tables,
        clocks: ClockSettings,
        settings: Sequence[Settings] = (),
        earlier: Callable[[str], Tables] | None = None,
    ) -> None:
        """`earlier` gives the tables of a version, and raises `TablesRefusedError`."""
        self.tables = tables
        self.clocks = clocks
        self._dated = [(_begins(each), InForce(tables.in_county(each))) for each in settings]
        self._always = InForce(tables)
        self.of_version = lru_cache(maxsize=100)(partial(self._of_version, earlier))

    def at(self, pending_since: datetime) -> "InForce":
        """The rules for a matter that became pending then; before all settings, with the first."""
        for begins, rules in reversed(self._dated):
            if begins <= pending_since:
                return rules
        return self._dated[0][1] if self._dated else self._always

    def get_ready(self, now: datetime) -> None:
        """Make what is made once, before the first message comes; for earlier settings, later."""
        notified = NOTHING_KNOWN._replace(notifications=1)
        for band in get_args(AgeBand):
            self.at(now).asks(notified, band, "open")

    @cached_property
    def radar(self) -> tuple[Row, ...]:
        """The rows that ask a supervisor to look."""
        return radar_rows(self.tables.level)

    def _of_version(self, earlier: Callable[[str], Tables] | None, version: str) -> Tables:
        """The tables of a stored decision; today's, where those can no longer be read."""
        for each in (self._always, *(rules for _, rules in self._dated)):
            if each.tables.version == version:
                return each.tables
        if earlier is None:
            return self.tables
        try:
            return earlier(version)
        except TablesRefusedError:
            return self.tables


class Screened(NamedTuple):
    """A decision, with its parts as they are stored."""

    decision: Decision
    facts: str
    rows: str
    urgent_flags: str
    destinations: str
    asks: str


class InForce:
    """Tables with the settings of some day. Deciding is pure: the same facts are decided once.

    What makes no difference is left out first: a number beyond the last that does, and whether a
    child is in the last year of an age band of which every year is screened alike.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        counted = counted_in(tables.settings, COUNTED)
        self._at_most = tuple(counted[name] for name in COUNTS)
        self._year_counts = _where_the_year_counts(made_in(tables.settings).values())
        self._screened = lru_cache(maxsize=20_000)(self._screen)

    @cached_property
    def questions(self) -> Questions:
        """What matters of the unknown; made when it is first asked for, in a tenth of a second."""
        return Questions(self.tables)

    def decide(
        self, known: Known, age_band: AgeBand, urgency: UrgencyState
    ) -> tuple[Decision, str]:
        """The decision, and its facts as stored."""
        return self._decide(self._as_it_counts(known, age_band), age_band, urgency)

    def asks(self, known: Known, age_band: AgeBand, urgency: UrgencyState) -> str:
        """What could still change the decision, as stored: names, the most decisive first."""
        return self._ask(self._as_it_counts(known, age_band), age_band, urgency)

    def screened(self, known: Known, age_band: AgeBand, urgency: UrgencyState) -> "Screened":
        """The decision and what it asks, as they are stored."""
        return self._screened(self._as_it_counts(known, age_band), age_band, urgency)

    def _screen(self, known: Known, age_band: AgeBand, urgency: UrgencyState) -> "Screened":
        decision, facts = self._decide(known, age_band, urgency)
        return Screened(
            decision, facts, " ".join(decision.rows), " ".join(decision.urgent_flags),
            " ".join(decision.destinations), self._ask(known, age_band, urgency),
        )  # fmt: skip

    def _as_it_counts(self, known: Known, age_band: AgeBand) -> Known:
        said: list[Any] = [*known[:_NUMBERS], *map(min, known[_NUMBERS:], self._at_most)]
        if age_band not in self._year_counts:
            said[_LAST_YEAR] = "unknown"
        return Known._make(said)

    def _ask(self, known: Known, age_band: AgeBand, urgency: UrgencyState) -> str:
        return " ".join(self.questions.names(known, age_band, urgency))

    def _decide(
        self, known: Known, age_band: AgeBand, urgency: UrgencyState
    ) -> tuple[Decision, str]:
        facts = derive_in(self.tables.settings, known, age_band=age_band, urgency=urgency)
        return decide(facts, self.tables), orjson.dumps(facts).decode()


def _begins(settings: Settings) -> datetime:
    """When settings come into force: in UTC, as receipts are, since both are compared often."""
    return datetime.combine(settings.valid_from, time(), HELSINKI).astimezone(UTC)


_LAST_YEAR = Known._fields.index("last_year_of_band")
_NUMBERS = len(Known._fields) - len(COUNTS)  # they stand last


def _where_the_year_counts(columns: Iterable[Made]) -> frozenset[AgeBand]:
    """The age bands in which the last year is screened otherwise than the others."""
    reading = [made for made in columns if "last_year_of_band" in made.of]
    return frozenset(
        band
        for band in get_args(AgeBand)
        for of, by in reading
        if {*of} != {"age_band", "last_year_of_band"}
        or len({by(*[band if e == "age_band" else a for e in of]) for a in get_args(Answer)}) > 1
    )


def case_mark(child: UUID) -> str:
    """What lists show instead of a name: ``K-XXXX-XXXX``, from the random child id."""
    number = child.int >> 88
    pairs = [_PAIRS[(number >> shift) & 1023] for shift in (30, 20, 10, 0)]
    return "K-{}{}-{}{}".format(*pairs)


def new_case(child: UUID, signal: Signal, client: OfClient = NOTHING_SAID) -> Case:
    """The case of a child notified for the first time; the client feed may know the child."""
    return Case(
        urgency="open" if asks_urgency(signal) else "not_asked",
        child=child,
        mark=case_mark(child),
        age_band=signal.age_band,
        provisional=signal.provisional,
        first_at=signal.received_at,
        last_at=signal.received_at,
        is_new=True,
        client=client,
        opened_at=signal.received_at,
    )


def receive(changes: Changes, case: Case, signal: Signal, rules: Rules, now: datetime) -> Outgoing:
    """A notification about the child: a check stands open, its clocks run, the case is screened.

    Of a school's absence signal without any other concern no check is asked, and while something is
    missing (it was returned) what it states is not counted: `services.routing.domain.absence`.

    Urgency is judged for each new notification by a person (design 9), so the case's is open again,
    unless it stands as urgent already: that is not made lighter by another message. Where the
    tables propose the duty desk it has the case again, whomever a person had chosen before.
    """
    if case.is_empty:
        case.first_at = case.last_at = signal.received_at
        case.provisional = case.identified_band is None
        case.urgency = "not_asked"
    _becomes_pending(case, signal.received_at)
    asked = asks_urgency(signal)
    if asked and case.urgency in ("not_urgent", "not_asked"):
        case.urgency = "open"
    _learn(changes, case, signal)
    case.last_at = max(case.last_at, signal.received_at)
    case.first_at = min(case.first_at, signal.received_at)
    told = (signal.age_band, signal.provisional)
    is_news = told != (case.age_band, case.provisional)
    if is_news and signal.id not in changes.belongs_to:  # else it tells who another child is
        case.age_band, case.provisional = who([(case.age_band, case.provisional), told])
    decision = screen(changes, case, signal.id, rules, now, to_duty=asked or is_returned(signal))
    changes.notifications.append(
        NotificationRow(
            signal.id, case.child, signal.received_at, "open" if asked else "not_asked",
            asked and bool(decision.urgent_flags), signal.child, signal.children, signal.kind,
            _stated_json(signal.facts), signal.corrects, changes.taken_back.get(signal.id),
            signal.source, signal.source_id, " ".join(signal.missing),
            "open" if is_returned(signal) else None, changes.belongs_to.get(signal.id),
            signal.age_band, signal.provisional,
        )
    )  # fmt: skip
    in_days = signal.kind != "anticipatory" or rules.clocks.anticipatory_in_days
    changes.clocks.append(
        start_clocks(
            case.child, signal.id, signal.received_at, rules.clocks, in_days=in_days, urgency=asked
        )
    )
    messages = [message_name(signal.source, signal.source_id)] if signal.source else []
    return event(
        case, "screened" if asked else "absence_screened", now, about=signal.id,
        rules=decision.version, documented=Documented(messages),
    )  # fmt: skip


def _becomes_pending(case: Case, received_at: datetime) -> None:
    """A receipt opens a new matter where none is pending, else it belongs to the one that is."""
    opened = min(case.pending_since, received_at) if case.pending else received_at
    case.opened_at, case.pending = opened, True


def still_pending(case: Case, receipts: Iterable[datetime]) -> None:
    """Which receipts are pending yet; where none is, the case keeps what was pending last."""
    opened = min(receipts, default=None)
    case.opened_at, case.pending = opened or case.opened_at, opened is not None


def message_name(source: str, source_id: str) -> str:
    """A message as its source knows it; intake lets nobody's henkilötunnus through."""
    return f"{source}/{source_id}"


def who(told: Iterable[tuple[AgeBand, bool]]) -> tuple[AgeBand, bool]:
    """Age band and "nobody knows who it is" of a child, from what several tell of both.

    Those who know the child count before those who do not. Children only grow older, so the eldest
    band stands, in whatever order it was told.
    """
    everybody = list(told)
    known = [each for each in everybody if not each[1]]
    bands = [band for band, _ in known or everybody]
    return max(bands, key=_ELDER.index, default="unknown"), not known


_ELDER: tuple[AgeBand, ...] = ("unknown", "unborn", "0-6", "7-12", "13-15", "16-17", "adult")


def take_back(
    changes: Changes,
    case: Case,
    withdrawn: Withdrawn,
    rules: Rules,
    now: datetime,
    messages: Sequence[str] = (),
) -> Outgoing:
    """A source takes back what it said. The notification stays, and so do its check and clocks.

    The case is screened on what still stands; what follows for the family a person decides.
    """
    _replace(changes, case, withdrawn.withdraws, withdrawn.id)
    decision = screen(changes, case, withdrawn.id, rules, now)
    return event(
        case, "withdrawn", now, about=withdrawn.withdraws, rules=decision.version,
        documented=Documented(messages),
    )  # fmt: skip


def learn_client(
    changes: Changes, case: Case, client: OfClient, because: str, rules: Rules, now: datetime
) -> list[Outgoing]:
    """The client information system says something new; only another decision is told of.

    It is no notification: no check opens, no clock starts, and nobody is alerted (CLK-14).
    """
    before = case.stated
    case.client = client
    return _screen_if_other(changes, case, before, "client_changed", because, rules, now)


def learn_family(
    changes: Changes, case: Case, family: Family, because: str, rules: Rules, now: datetime
) -> list[Outgoing]:
    """Something came about another child of the household; only another decision is told of."""
    if family == case.family:
        return []
    before = case.stated
    case.family = family
    return _screen_if_other(changes, case, before, "household_changed", because, rules, now)


def _screen_if_other(
    changes: Changes, case: Case, before: Known, kind: CaseEventKind,
    because: str, rules: Rules, now: datetime,
) -> list[Outgoing]:  # fmt: skip
    case.version += 1
    stated = case.stated
    if stated == before:
        return []
    in_force = rules.at(case.pending_since)
    earlier = in_force.screened(before, case.age_band, case.urgency)
    if earlier.facts == in_force.screened(stated, case.age_band, case.urgency).facts:
        return []
    decision = screen(changes, case, because, rules, now)
    return [event(case, kind, now, about=because, rules=decision.version)]


def _learn(changes: Changes, case: Case, signal: Signal) -> None:
    """Add what a signal states; a correction takes the place of what it corrects."""
    standing = changes.standing.get(case.child)
    if signal.id not in changes.taken_back and counts_at_once(signal):
        case.known = learn(case.known, signal.facts)
        case.recent = together(case.recent, (seen(signal.id, signal.source, signal.received_at),))
        if standing is not None:
            standing[signal.id] = Told(signal.received_at, signal.facts, signal.source)
            _count_anew(changes, case)
    if signal.corrects is not None:
        _replace(changes, case, signal.corrects, signal.id)


def _replace(changes: Changes, case: Case, earlier: str, by: str) -> None:
    """What stood before `by` is known no longer; what has not come yet will not count."""
    changes.replaced.append((earlier, by))
    changes.taken_back[earlier] = by
    standing = changes.standing[case.child]
    standing.pop(earlier, None)
    _count_anew(changes, case)


def _count_anew(changes: Changes, case: Case) -> None:
    told = changes.standing[case.child]
    case.known = known_when(told.values(), changes.answered.get(case.child, ()))
    case.recent = recent_of(told)


def _stated_json(facts: CodedFacts) -> str:
    """As it is kept with the notification, so that it can be left out again."""
    return _json_of(_fields_of(facts))


_fields_of = attrgetter(*CodedFacts.model_fields)


@lru_cache(maxsize=20_000)
def _json_of(fields: tuple[Any, ...]) -> str:
    told = zip(CodedFacts.model_fields, fields, _NOTHING_STATED, strict=True)
    stated = {name: said for name, said, not_ in told if said != not_}
    return orjson.dumps(stated, default=_parts_stated).decode()


_NOTHING_STATED = _fields_of(CodedFacts())


def _parts_stated(absence: CodedAbsence) -> dict[str, Any]:
    return absence.model_dump(exclude_defaults=True)


def screen(
    changes: Changes,
    case: Case,
    because: str,
    rules: Rules,
    now: datetime,
    *,
    to_duty: bool = False,
) -> Decision:
    """Decide anew; keeps the decision with its facts, and what it proposes, in `changes`.

    The decision takes the number of the event that will tell of it. With `to_duty` a proposal of
    the duty desk is a new one, which no earlier choice of a person answers.
    """
    in_force = rules.at(case.pending_since)
    screened = in_force.screened(case.stated, case.age_band, case.urgency)
    decision = screened.decision
    number = case.seq + 1
    returns = to_duty and decision.holder == "duty"
    if returns or decision.holder != case.holder or case.holder_seq == 0:
        case.holder_seq = number
        case.confirmed = None
    _propose(changes, case, decision.destinations, now)
    case.urgent_flags, case.level = decision.urgent_flags, decision.level
    case.holder, case.destinations = decision.holder, decision.destinations
    case.decision_seq = number
    case.known_until = latest(case.known_until, case.recent, case.family.recent)
    _look(changes, case, decision, because, rules)
    changes.decisions.append(
        DecisionRow(
            case.child, number, because, now, screened.facts, screened.rows,
            screened.urgent_flags, decision.level, decision.holder, screened.destinations,
            decision.version, decision.content_hash, " ".join(map(str, case.joined)) or None,
            screened.asks, case.known_until,
        )
    )  # fmt: skip
    return decision


def _look(changes: Changes, case: Case, decision: Decision, because: str, rules: Rules) -> None:
    """Where the radar says yes for the first time, a supervisor is asked to look."""
    flagged = bool(decision.urgent_flags)
    if not case.look_asked and says_yes(rules.radar, decision.facts, flagged=flagged):
        case.look_asked = True
        changes.looks.append((case.child, because))


def event(
    case: Case,
    kind: CaseEventKind,
    now: datetime,
    *,
    about: str | None = None,
    done_at: datetime | None = None,
    rules: str | None = None,
    documented: Documented = NOTHING_DOCUMENTED,
) -> Outgoing:
    """The next event about the child: takes the next number, holds no personal data."""
    case.seq += 1
    case.version += 1
    child = str(case.child)  # asyncpg has a UUID class of its own
    ident = f"{child}.{case.seq}"
    value = orjson.dumps(
        {
            "id": ident,
            "child": child,
            "seq": case.seq,
            "kind": kind,
            "at": now,
            "done_at": done_at,
            "about": about,
            "level": case.level,
            "holder": case.confirmed or case.holder,
            "destinations": case.destinations,
            "urgent": case.urgency == "urgent" or bool(case.urgent_flags),
            "rules": rules,
            "client_reference": case.client.reference,
            "messages": documented.messages,
            "answer": documented.answer,
        }
    )
    return Outgoing(events.CASE, child.encode(), ident, value)


def start_clocks(
    child: UUID,
    about: str,
    received_at: datetime,
    settings: ClockSettings,
    *,
    in_days: bool = True,
    urgency: bool = True,
) -> ClockSet:
    """The four clocks of one receipt, running from its own time."""
    return ClockSet(
        child, about, received_at, urgent_by(received_at, settings),
        limits_of(received_at, settings), in_days, urgency,
    )  # fmt: skip


def _propose(
    changes: Changes, case: Case, destinations: Sequence[Destination], now: datetime
) -> None:
    for destination in destinations:
        if destination not in case.destinations:
            changes.proposed.append((case.child, destination, now))
    for destination in case.destinations:
        if destination not in destinations:
            changes.withdrawn.append((case.child, destination))
