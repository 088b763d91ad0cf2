"""The plan of a sample year: who is notified of, when, by whom and with which kind of message.

How much of everything: volumes.yaml. Notifications are counted per child, as the national
statistics do; a message that names three siblings counts three. A plan holds a few numbers for
each message and child, so that all of Finland fits into some tens of megabytes; what a message
says is written when it is asked for (writing.py).
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from math import log
from random import Random
from typing import Final, NamedTuple, get_args

from deploy.sample.rhythm import Rhythm, rhythms
from deploy.sample.volumes import Band, volumes
from shared.clock import HELSINKI
from shared.events import NotifierKind
from shared.kinds import KINDS, KindName

CODES_PER_DAY: Final = 600  # 900-999 with each of the six separators of a century
CODES_OF_PLAN: Final = 150  # the rest is for pupils whom no other message is about (schooling.py)
CODES_OF_PEOPLE: Final = 590  # and the last are nobody's: what somebody is known under by mistake
OTHERS: Final = 1 << 31  # numbers of people and households from here on are such pupils'
UNBORN: Final = 255  # the band of a group that is an expecting parent
MOST_TIMES: Final = 12
A_DAY: Final = 86_400
NEVER: Final = 0
SOON: Final = 0.004  # of a year's weight: a correction or a withdrawal comes within some two days

_KIND_OF: dict[str, NotifierKind] = {
    "P": "police",
    "S": "education",
    "D": "early_education",
    "H": "health_care",
    "O": "social_care",
    "V": "private",
}
LETTER_OF: dict[str, str] = {
    **{kind: letter for letter, kind in _KIND_OF.items()},
    "guardian": "G",
    "child": "G",
    **dict.fromkeys(("youth_work", "afternoon_activity", "religious_community"), "Y"),
    "rescue": "A",
    **dict.fromkeys(
        ("kela", "enforcement", "criminal_sanctions", "reception_centre", "other_mandated"), "K"
    ),
}
_NOTIFIERS: tuple[NotifierKind, ...] = get_args(NotifierKind)
_KINDS: tuple[KindName, ...] = tuple(kind.name for kind in KINDS)
_PLACE_OF_NOTIFIER = {name: place for place, name in enumerate(_NOTIFIERS)}
_PLACE_OF_KIND = {name: place for place, name in enumerate(_KINDS)}
_TOGETHER = volumes().together
_BANDS = tuple(band.share for band in volumes().bands)
_WITH_FAMILY = "SDHO"  # letters of those who make a contact together with the family
_ABOUT_UNBORN = "HHHOOP"


class Visit(NamedTuple):
    """One message to be written. A repeat has the number of the first; `sent` differs from `at`.

    `about` is the number of the message that this one corrects or takes back. `side` (1, 2) is
    the guardian who writes in a dispute, else 0. Times are seconds since 1970.
    """

    sent: int
    at: int
    number: int
    group: int
    notifier: NotifierKind
    kind: KindName
    urgent: bool
    side: int
    about: int | None
    repeats: bool


class Person(NamedTuple):
    """A child or an expecting parent; `code` (0 to 599) tells those born on one day apart."""

    number: int
    born: date
    code: int


class Group(NamedTuple):
    """Children who are notified of together, or one expecting parent (band `UNBORN`).

    `left` is when the family went to another county (seconds since 1970), `NEVER` if it stayed.
    """

    number: int
    household: int
    band: int
    people: tuple[Person, ...]
    dispute: bool
    left: int

    @property
    def unborn(self) -> bool:
        return self.band == UNBORN


class _Visits:
    """Columns of plain numbers: some 30 bytes a message."""

    def __init__(self) -> None:
        self._sent, self._at, self._number, self._group = (array("I") for _ in range(4))
        self._about = array("q")
        self._notifier, self._kind, self._marks = (array("B") for _ in range(3))

    def __len__(self) -> int:
        return len(self._sent)

    def add(
        self, at: int, group: int, notifier: NotifierKind, kind: KindName, *,
        urgent: bool = False, side: int = 0, about: int | None = None,
    ) -> int:  # fmt: skip
        """Its number."""
        number = len(self._sent)
        self._row(at, at, number, group, about)
        self._notifier.append(_PLACE_OF_NOTIFIER[notifier])
        self._kind.append(_PLACE_OF_KIND[kind])
        self._marks.append(urgent | side << 1)
        return number

    def repeat(self, number: int, sent: int) -> None:
        """The same once more."""
        self._row(sent, self._at[number], number, self._group[number], self.about(number))
        for column in (self._notifier, self._kind, self._marks):
            column.append(column[number])

    def _row(self, sent: int, at: int, number: int, group: int, about: int | None) -> None:
        self._sent.append(sent)
        self._at.append(at)
        self._number.append(number)
        self._group.append(group)
        self._about.append(-1 if about is None else about)

    def about(self, row: int) -> int | None:
        found = self._about[row]
        return None if found < 0 else found

    def __getitem__(self, row: int) -> Visit:
        number, marks = self._number[row], self._marks[row]
        return Visit(
            self._sent[row], self._at[row], number, self._group[row],
            _NOTIFIERS[self._notifier[row]], _KINDS[self._kind[row]],
            bool(marks & 1), marks >> 1, self.about(row), repeats=number != row,
        )  # fmt: skip

    def rows_in_order(self, start: int) -> Iterator[int]:
        """Rows from `start` on as they are sent."""
        return in_time_order(self._sent, start)


def in_time_order(sent: "array[int]", start: int) -> Iterator[int]:
    """Rows sent from `start` on, in time order; put into days first, so that little is sorted."""
    if not sent:
        return
    first = min(sent) // A_DAY
    days = [0] * (max(sent) // A_DAY - first + 2)
    for moment in sent:
        days[moment // A_DAY - first + 1] += 1
    ends = list(accumulate(days))
    rows = array("I", bytes(4 * len(sent)))
    following = ends[:]
    for row, moment in enumerate(sent):
        day = moment // A_DAY - first
        rows[following[day]] = row
        following[day] += 1
    for begin, end in pairwise(ends):
        if end > begin and sent[rows[end - 1]] // A_DAY >= start // A_DAY:
            day_rows = sorted(rows[begin:end], key=lambda row: (sent[row], row))
            yield from (row for row in day_rows if sent[row] >= start)


class Plan:
    """A year: the groups of children and the visits, in the order they were thought of."""

    def __init__(self, seed: int, last_day: date) -> None:
        self._rng = seeded(f"sample county {seed} {last_day}")
        self.base = self._rng.getrandbits(64)
        self.last_day = last_day
        self.visits = _Visits()
        self.notified = 0  # per child
        self._others = {"contacts": 0, "unborn": 0, "consultations": 0}  # per message
        self._rhythms = rhythms(last_day)
        self._end = self._rhythms["A"].starts[-1] + 3599
        self._codes: dict[date, int] = {}
        self._households, self._first_person, self._left = (array("I") for _ in range(3))
        self._band, self._dispute = array("B"), array("B")
        self._born, self._code = array("I"), array("H")

    def grow(self, under_18s: int, yearly_per_1000: float | None = None) -> None:
        """Until so many children live in the county; what is there already stays as it is."""
        each = volumes().yearly_per_1000.notified if yearly_per_1000 is None else yearly_per_1000
        while self.notified < round(under_18s * each / 1000):
            self.add_families()

    def add_families(self) -> None:
        """One more family that is notified of, and as many others as go with it."""
        self._add_notified()
        yearly = volumes().yearly_per_1000
        share = self.notified / yearly.notified
        while self._others["contacts"] < share * yearly.contacts:
            self._add_contact()
        while self._others["unborn"] < share * yearly.unborn:
            self._add_unborn()
        while self._others["consultations"] < share * yearly.consultations:
            self._add_consultation()

    @property
    def groups(self) -> int:
        """How many groups of children there are."""
        return len(self._households)

    @property
    def begins(self) -> int:
        """When the year begins (seconds since 1970)."""
        return self._rhythms["A"].starts[0]

    @property
    def ends(self) -> int:
        """The last second of the year."""
        return self._end

    def group(self, number: int) -> Group:
        """A group of children."""
        begin = self._first_person[number]
        last = number + 1 == len(self._first_person)
        end = len(self._born) if last else self._first_person[number + 1]
        people = tuple(
            Person(place, date.fromordinal(self._born[place]), self._code[place])
            for place in range(begin, end)
        )
        return Group(
            number, self._households[number], self._band[number], people,
            bool(self._dispute[number]), self._left[number],
        )  # fmt: skip

    def first_of(self, visit: Visit) -> Visit:
        """What a visit corrects or takes back, else itself."""
        return visit if visit.about is None else self.visits[visit.about]

    def in_order(self, start: int = 0) -> Iterator[Visit]:
        """The visits from `start` (seconds since 1970) on, in the order they are sent.

        What corrects or takes back something from before is left out: nobody has got that.
        """
        for row in self.visits.rows_in_order(start):
            visit = self.visits[row]
            if visit.about is None or self.visits[visit.about].sent >= start:
                yield visit

    # --- families -----------------------------------------------------------------------------

    def _add_notified(self) -> None:
        """A family with all its notifications of the year."""
        rng, figures = self._rng, volumes()
        bands = [_some_band(rng) for _ in range(1 + weighted(rng, _TOGETHER))]
        band = figures.bands[bands[0]]
        times = _times(rng)
        dispute = times > 1 and rng.random() < figures.disputes
        share, moments = rng.random(), []
        for turn in range(times):
            urgent = rng.random() < figures.marked and not dispute
            notifier: NotifierKind = "guardian" if dispute else _notifier(rng, band)
            moments += self._add_visit(
                share, notifier, _kind_of_notification(rng, notifier),
                urgent=urgent, side=1 + turn % 2 if dispute else 0,
            )  # fmt: skip
            share = (share + rng.expovariate(8.0)) % 1.0  # about six weeks later
        self.notified += len(bands) * times
        if rng.random() < figures.contact_before:
            single = len(bands) == 1 and bands[0] > 1
            notifier, kind = _contact(rng, band, own=single)
            moments += self._add_visit(max(0.0, share - 0.1 * rng.random()), notifier, kind)
            self._others["contacts"] += 1
        self._add_group(bands, moments, dispute=dispute)

    def _add_contact(self) -> None:
        """A family that somebody makes a contact about, or that applies itself."""
        rng, figures = self._rng, volumes()
        band = _some_band(rng)
        notifier, kind = _contact(rng, figures.bands[band], own=True)
        bands = [band] + [_some_band(rng) for _ in range(weighted(rng, _TOGETHER))]
        if notifier == "child":
            bands = [1 if rng.random() < 0.06 else 2 if rng.random() < 0.5 else 3]
        self._others["contacts"] += 1
        self._add_group(bands, self._add_visit(rng.random(), notifier, kind))

    def _add_consultation(self) -> None:
        """A child in psychiatric care, about whom the clinic asks child protection."""
        band = 1 + weighted(self._rng, (3, 8, 10))
        moments = self._add_visit(self._rng.random(), "health_care", "consultation_request")
        self._others["consultations"] += 1
        self._add_group([band], moments)

    def _add_unborn(self) -> None:
        """Somebody expects a child; seldom two notify."""
        rng = self._rng
        share, moments = rng.random(), []
        for _ in range(2 if rng.random() < 0.15 else 1):
            notifier = _KIND_OF[_ABOUT_UNBORN[int(rng.random() * len(_ABOUT_UNBORN))]]
            moments += self._add_visit(share, notifier, "anticipatory")
            share = min(share + 0.05 * rng.random(), 0.9999)
            self._others["unborn"] += 1
        self._add_group([], moments)

    def _add_visit(
        self, share: float, notifier: NotifierKind, kind: KindName, *,
        urgent: bool = False, side: int = 0,
    ) -> list[int]:  # fmt: skip
        """A message at `share` of the year, and what may come after it; when it was sent."""
        rng, figures = self._rng, volumes()
        letter = LETTER_OF[notifier]
        rhythm = self._rhythms["A" if urgent and letter == "P" else letter]
        at, group = rhythm.moment(share), len(self._households)
        number = self.visits.add(at, group, notifier, kind, urgent=urgent, side=side)
        moments = [at]
        if rng.random() < figures.repeated:
            again = min(at + rng.randrange(60, 2 * A_DAY), self._end)
            self.visits.repeat(number, again)
        for chance, later in ((figures.corrected, kind), (figures.withdrawn, "withdrawal")):
            if rng.random() < chance:
                moments.append(_soon(rng, rhythm, share, at))
                self.visits.add(
                    moments[-1], group, notifier, later, urgent=urgent, side=side, about=number
                )
        return moments

    # --- people -------------------------------------------------------------------------------

    def _add_group(self, bands: list[int], moments: list[int], *, dispute: bool = False) -> None:
        rng, figures = self._rng, volumes()
        number = len(self._households)
        household, left = number, NEVER
        plain = number and not self._dispute[number - 1] and not self._left[number - 1]
        if plain and not dispute and rng.random() < figures.same_household:
            household = self._households[number - 1]
        elif rng.random() < figures.moved_out and max(moments) + 7 * A_DAY < self._end:
            left = rng.randrange(max(moments) + 6 * A_DAY, self._end)
        self._households.append(household)
        self._band.append(bands[0] if bands else UNBORN)
        self._dispute.append(dispute)
        self._left.append(left)
        self._first_person.append(len(self._born))
        first, last = _day_of(min(moments)), _day_of(max(moments))
        siblings: list[date] = []
        for band in bands:
            siblings.append(self._add_child(figures.bands[band], first, last, siblings))
        if not bands:
            self._add_person(first - timedelta(days=rng.randrange(6600, 15_000)))

    def _add_child(self, band: Band, first: date, last: date, siblings: list[date]) -> date:
        """A child of the band's age on `last`, already born and in day care by `first`."""
        youngest = max(band.days[0], (last - first).days + 300)
        for attempt in range(100):
            born = last - timedelta(days=self._rng.randrange(youngest, band.days[1] + 1))
            near = any(0 < abs((born - other).days) < 300 for other in siblings)
            free = self._codes.get(born, 0) < CODES_OF_PLAN
            if free and (not near or attempt > 10):  # step-siblings may be near
                self._add_person(born)
                return born
        raise ValueError("more children than there are test codes")

    def _add_person(self, born: date) -> None:
        used = self._codes.get(born, 0)
        self._codes[born] = used + 1
        self._born.append(born.toordinal())
        self._code.append(used)


def _some_band(rng: Random) -> int:
    return weighted(rng, _BANDS)


def _notifier(rng: Random, band: Band) -> NotifierKind:
    letter = tuple(band.letters)[weighted(rng, band.letters.values())]
    return _KIND_OF.get(letter) or tuple(band.others)[weighted(rng, band.others.values())]


def _kind_of_notification(rng: Random, notifier: NotifierKind) -> KindName:
    figures, chance = volumes(), rng.random()
    if notifier == "police" and chance < figures.police_reports:
        return "police_report"
    if notifier == "social_care" and chance < figures.transfers:
        return "transfer"
    return "notification"


def _contact(rng: Random, band: Band, *, own: bool) -> tuple[NotifierKind, KindName]:
    """Who makes a contact, and of which kind; `own`: a child may apply for itself."""
    figures = volumes()
    shares = figures.contact_kinds
    kind: KindName = tuple(shares)[weighted(rng, shares.values())]
    if kind == "application":
        by_child = own and rng.random() < figures.own_applications
        return "child" if by_child else "guardian", kind
    letters = {each: w for each, w in band.letters.items() if each in _WITH_FAMILY}
    return _KIND_OF[tuple(letters)[weighted(rng, letters.values())]], kind


def _soon(rng: Random, rhythm: Rhythm, share: float, at: int) -> int:
    """When the same people write again about what they wrote."""
    return max(at, rhythm.moment(min(share + SOON * rng.random(), 0.999_999)))


def _times(rng: Random) -> int:
    """How often in the year."""
    figures, chance = volumes().times, rng.random()
    if chance < figures.once + figures.twice:
        return 1 if chance < figures.once else 2
    return min(3 + int(log(1.0 - rng.random()) / log(figures.one_more)), MOST_TIMES)


def weighted(rng: Random, weights: Iterable[float]) -> int:
    """The place of one of the weights, as often as it weighs."""
    sums = list(accumulate(weights))
    return min(bisect_right(sums, rng.random() * sums[-1]), len(sums) - 1)


def seeded(seed: int | str) -> Random:
    """Random numbers that come out the same on every machine."""
    return Random(seed)


def mixed(base: int, kind: int, number: int) -> int:
    """A seed of its own for each number, by one round of a well-known mixing (splitmix64)."""
    x = (base + kind * 0x9E3779B97F4A7C15 + number * 0xD1342543DE82EF95) & 0xFFFFFFFFFFFFFFFF
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return x ^ (x >> 27)


def _day_of(moment: int) -> date:
    return datetime.fromtimestamp(moment, HELSINKI).date()
