"""The sample county's year through the pure domain: what stands of each child after each message.

As intake and routing would have it, with three things simpler: it is always known which child a
message is about, the client feed is the truth about who is a client, and children are of one
household where a message names them together.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from deploy.sample.county import CHILDREN, Told, told_of_children
from services.intake.domain.absence import Judged, judge
from services.intake.domain.reading import read_message
from services.intake.domain.told import children_of, day_of
from services.intake.provider_files import load_providers
from services.routing.domain.absence import states_concern
from services.routing.domain.facts import NOTHING_KNOWN, Known, known_when
from services.routing.domain.facts import Told as Stated
from services.routing.domain.households import Family, Member, family_of, with_family, with_windows
from services.routing.domain.windows import recent_of
from shared.absence import SchoolAbsence
from shared.events import AgeBand, CodedFacts, Concern
from shared.inbox import Raw, Unreadable
from shared.kinds import KindName

LAST_DAY: Final = date(2026, 11, 22)
NOTIFICATIONS: Final = frozenset[KindName]({"notification", "police_report", "transfer"})
"""The kinds that the national statistics count as child-protection notifications."""


class Heard(NamedTuple):
    """One child after one more message about it.

    `known` is what decisions are made from: of the child, of its household and of the client feed.
    `asked`: a person is asked whether it is urgent. `urgent`, `client` and `dispute` are the truth.
    """

    child: str
    kind: KindName
    known: Known
    age_band: AgeBand
    asked: bool
    urgent: bool
    client: bool
    dispute: bool

    @property
    def is_notification(self) -> bool:
        return self.kind in NOTIFICATIONS


@lru_cache(maxsize=1)
def screened_year(seed: int = 1, children: int = CHILDREN) -> tuple[Heard, ...]:
    """The year that ends with `LAST_DAY`, in the order of receipt; takes some seconds, once."""
    return tuple(screened(told_of_children(last_day=LAST_DAY, seed=seed, children=children)))


def screened(year: Iterable[Told]) -> Iterable[Heard]:
    """What stands of each child after each message that is about children."""
    county, providers = _County(), load_providers()
    for message, truth in year:
        if truth.repeat:
            continue
        told = [_name(child.child, unborn=child.unborn) for child in truth.children]
        if message.kind == "withdrawal":
            county.take_back(told, truth.about)
            continue
        raw = Raw(0, 0, message.at, message.key, message.headers, message.value)
        read = read_message(raw)
        assert not isinstance(read, Unreadable)  # noqa: S101 -- the county writes what is read
        event, at = read.event, read.received_at
        assert isinstance(event, Concern | SchoolAbsence)  # noqa: S101 -- no feed is among them
        verdict: Judged | None = None
        if isinstance(event, SchoolAbsence):
            verdict = judge(event, providers, day_of(at))
        about = children_of(event, at, verdict.facts if verdict else None)
        for child, of in zip(told, about, strict=True):
            facts = CodedFacts.model_validate(of.facts)
            asked = verdict is None or states_concern(facts)
            county.take_back([child], truth.about)
            if asked or not (verdict and verdict.missing):
                county.learn(
                    child, truth.siblings, truth.source_id, Stated(at, facts, truth.source)
                )
            yield Heard(
                child, message.kind, county.known(child, client=bool(truth.client)), of.age_band,
                asked, truth.urgent, bool(truth.client), truth.dispute,
            )  # fmt: skip


def _name(child: str, *, unborn: bool) -> str:
    """Of one not born the truth names the parent."""
    return f"unborn of {child}" if unborn else child


class _County:
    """What every child's messages state, and who is of one household."""

    def __init__(self) -> None:
        self._stated: defaultdict[str, dict[str, Stated]] = defaultdict(dict)
        self._members: dict[str, Member] = {}
        self._of: dict[str, str] = {}
        self._together: defaultdict[str, set[str]] = defaultdict(set)

    def learn(self, child: str, siblings: str, ident: str, stated: Stated) -> None:
        self._stated[child][ident] = stated
        self._of[child] = siblings
        self._together[siblings].add(child)
        self._count(child)

    def take_back(self, children: Iterable[str], ident: str | None) -> None:
        for child in children:
            if self._stated[child].pop(ident or "", None) is not None:
                self._count(child)

    def known(self, child: str, *, client: bool) -> Known:
        own, family = self._members.get(child, Member(NOTHING_KNOWN)), self._family(child)
        known = with_windows(with_family(own.known, family), own.recent, family)
        return known._replace(is_client="yes") if client else known

    def _count(self, child: str) -> None:
        stated = self._stated[child]
        known = known_when(stated.values(), ())
        signals = {f"{ident}.0": each for ident, each in stated.items()}
        self._members[child] = Member(known, recent_of(signals))

    def _family(self, child: str) -> Family:
        others = self._together.get(self._of.get(child, ""), set()) - {child}
        return family_of(self._members[each] for each in sorted(others))
