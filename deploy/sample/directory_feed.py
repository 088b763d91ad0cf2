"""The directory feed: every entry as it stands when the period begins, then what changes.

The rota of a week is told three weeks before, so that some is always known beyond the last day.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zlib import crc32

import orjson

from deploy.sample import words
from deploy.sample.directory import (
    Member,
    Shift,
    duty_team,
    gap_of,
    others,
    shifts_of,
    social_worker,
    social_workers,
    tag_of,
    team_size,
)
from deploy.sample.families import local
from deploy.sample.message import Message, headers_of
from deploy.sample.truth import Truth
from deploy.sample.volumes import volumes
from deploy.sample.year import A_DAY, Plan, mixed, seeded
from shared.clock import HELSINKI
from shared.kinds import DIRECTORY

SOURCE: Final = "directory-1"
WEEKS_AHEAD: Final = 3


class Change(NamedTuple):
    """An entry of the directory as it is told at `at` (seconds since 1970).

    `known`: it was so before the period began. `covered` is False for a shift that nobody has.
    """

    at: int
    entry_id: str
    version: int
    entry: dict[str, Any]
    ended: bool = False
    covered: bool = True
    known: bool = False


class Directory:
    """All entries, and when each is sent. `gap`: leave the evening of `gap_of` open."""

    def __init__(self, plan: Plan, teams: int, *, gap: bool = False) -> None:
        self._plan, self._teams = plan, teams
        self._gap = gap_of(plan) if gap else None
        self._duty = [[m.id for m in duty_team(plan, team)] for team in range(teams)]

    def in_order(self, start: int) -> Iterator[Change]:
        """All that is known at `start` (seconds since 1970), and then every change."""
        changes = sorted(self._changes(), key=lambda change: (change.at, change.entry_id))
        newest = {change.entry_id: change for change in changes if change.at < start}
        for change in newest.values():
            if not change.ended:
                yield change._replace(at=start, known=True)
        first = local(start).date()
        yield from (c._replace(at=start, known=True) for c in self._rota_known(first, start))
        later = [change for change in changes if change.at >= start]
        day, place = first, 0
        while day <= self._plan.last_day:
            end = _moment(day + timedelta(days=1), 0)
            upto = place
            while upto < len(later) and later[upto].at < end:
                upto += 1
            today = [*later[place:upto], *self._rota_told(day)]
            yield from sorted(today, key=lambda change: change.at)
            day, place = day + timedelta(days=1), upto

    def _rota_known(self, first: date, start: int) -> Iterator[Change]:
        """The shifts from the first day on that had been told of before `start`."""
        day = first
        while (told := self._told_at(day)) < start:
            for team in range(self._teams):
                for shift in shifts_of(team, day):
                    yield self._shift(shift, told)
                    if (swapped := self._swap(shift)) is not None and swapped.at < start:
                        yield swapped
            day += timedelta(days=1)

    def _rota_told(self, day: date) -> Iterator[Change]:
        """What is told of the rota on a day: a whole week on Mondays, and shifts that change."""
        if day.weekday() == 0:
            for ahead in range(7):
                when = day + timedelta(weeks=WEEKS_AHEAD, days=ahead)
                for team in range(self._teams):
                    yield from (self._shift(s, self._told_at(when)) for s in shifts_of(team, when))
        for team in range(self._teams):
            for shift in shifts_of(team, day + timedelta(days=2)):
                if (swapped := self._swap(shift)) is not None:
                    yield swapped

    @staticmethod
    def _told_at(day: date) -> int:
        monday = day - timedelta(days=day.weekday(), weeks=WEEKS_AHEAD)
        return _moment(monday, 10)

    def _shift(self, shift: Shift, at: int, version: int = 1) -> Change:
        team = self._duty[shift.team]
        turn = (shift.day.toordinal() * 3 + shift.slot) * 2 + (version - 1) * 5
        staff = [team[(turn + n) % len(team)] for n in range(2)]
        if self._gap == (shift.day, shift.slot):
            staff = []
        entry = {
            "what": "rota", "kind": shift.kind, "begins": shift.begins.isoformat(),
            "ends": shift.ends.isoformat(), "staff": staff, "unit": "unit-duty",
        }  # fmt: skip
        return Change(at, shift.entry_id, version, entry, covered=bool(staff))

    def _swap(self, shift: Shift) -> Change | None:
        """Two days before, somebody else takes the shift."""
        number = (shift.day.toordinal() * 3 + shift.slot) * 1_000 + shift.team
        rng = seeded(mixed(self._plan.base, 35, number))
        if rng.random() >= volumes().directory_feed.swapped:
            return None
        return self._shift(shift, _moment(shift.day - timedelta(days=2), 14), version=2)

    def _changes(self) -> Iterator[Change]:
        """Every entry but the rota: as it was before the year, and its changes within it."""
        before = self._plan.begins - A_DAY
        for number, (unit, name, kind) in enumerate(self._units()):
            entry = {"what": "unit", "unit_id": unit, "name": name, "kind": kind}
            yield Change(before + number, unit, 1, entry)
        for member in self.members():
            yield from _states(member, before + 10_000)
        for team in range(self._teams):
            members = [f"ex-{5 * team + n + 1}" for n in range(5)]
            group = {"what": "group", "group_id": f"group-{team + 1}",
                     "name": "Monialainen asiantuntijaryhmä", "members": members}  # fmt: skip
            yield Change(before + 20_000, f"group-{team + 1}", 1, group)
        for number, (name, kind, low, high) in enumerate(_CLINICS, 1):
            clinic = {"what": "clinic", "clinic_id": f"clinic-{number}", "name": name,
                      "kind": kind, "age_min": low, "age_max": high}  # fmt: skip
            yield Change(before + 30_000, f"clinic-{number}", 1, clinic)

    def members(self) -> Iterator[Member]:
        """All staff."""
        yield from others(self._plan, self._teams)
        for team in range(self._teams):
            yield from duty_team(self._plan, team)
        for number in range(social_workers(self._plan)):
            yield social_worker(self._plan.base, self._plan.last_day, number)

    def _units(self) -> Iterator[tuple[str, str, str]]:
        yield "unit-duty", "Sosiaalipäivystys ja virka-ajan päivystys", "duty"
        yield "unit-assessment", "Palvelutarpeen arviointi", "assessment"
        yield "unit-lead", "Lastensuojelun johto", "other"
        yield "unit-experts", "Asiantuntijat", "other"
        for number in range((social_workers(self._plan) - 1) // team_size() + 1):
            yield (
                f"unit-children-{number + 1}", f"Lastensuojelun tiimi {number + 1}",
                "child_protection",
            )  # fmt: skip
        for number, name in enumerate(words.HOMES, 1):
            yield f"unit-home-{number}", name, "foster_care"
        yield "ward-1", words.CLINICS[2], "ward"


_CLINICS = ((words.CLINICS[0], "child", 0, 12), (words.CLINICS[1], "adolescent", 13, 17))


def _states(member: Member, before: int) -> Iterator[Change]:
    """A person's entry, and its versions where they leave or are away."""
    entry: dict[str, Any] = {
        "what": "staff", "staff_id": member.id, "name": member.name, "roles": [member.role],
        "unit": member.unit, "phone": f"000 {crc32(member.id.encode()) % 10_000_000:07d}",
        "languages": ["fi", "sv"] if member.swedish else ["fi"],
    }  # fmt: skip
    ident = f"staff-{member.id}"
    yield Change(before, ident, 1, entry)
    if member.leaves is not None:
        last = member.leaves - timedelta(days=1)
        until = entry | {"active_until": last.isoformat()}
        yield Change(_moment(member.leaves - timedelta(days=14), 9), ident, 2, until)
        yield Change(_moment(member.leaves, 9), ident, 3, until, ended=True)
    if member.away is not None:
        begins, returns = member.away
        until = entry | {"active_until": (begins - timedelta(days=1)).isoformat()}
        yield Change(_moment(begins - timedelta(days=7), 9), ident, 2, until)
        again = entry | {"active_from": returns.isoformat()}
        yield Change(_moment(returns - timedelta(days=3), 9), ident, 3, again)


def _ident(plan: Plan, change: Change) -> str:
    """The id of a message: one a version, and one of its own when a period begins with it."""
    begins = f".{local(change.at):%Y%m%d}" if change.known else ""
    return f"{tag_of(plan)}-{change.entry_id}.{change.version}{begins}"


def truth_of_entry(plan: Plan, change: Change) -> Truth:
    """The truth about one message of the feed: it is about nobody's child."""
    return Truth(
        SOURCE, _ident(plan, change), local(change.at).isoformat(), "directory", children=(),
        household="", siblings="", urgent=False, marked=False, repeat=False, about=None,
        dispute=False, turvakielto=False, moved=None, moved_out=None,
        complete=change.covered, entry=change.entry_id, version=change.version,
    )  # fmt: skip


def write_entry(plan: Plan, change: Change) -> Message:
    """One message of the feed."""
    at, ident = datetime.fromtimestamp(change.at, UTC), _ident(plan, change)
    arrived = at.isoformat()
    body = {
        "arrived_at": arrived, "entry_id": change.entry_id, "version": change.version,
        "ended": change.ended, "entry": change.entry,
    }  # fmt: skip
    return Message(
        at=at, source=SOURCE, source_id=ident, kind="directory",
        topic=DIRECTORY.topic, key=change.entry_id.encode(),
        headers=headers_of(SOURCE, ident, DIRECTORY.type, arrived), value=orjson.dumps(body),
    )  # fmt: skip


def _moment(day: date, hour: int) -> int:
    return int(datetime.combine(day, time(hour), HELSINKI).timestamp())
