"""The decision: facts and tables in, a proposal with all its reasons out. Total and pure.

What cannot be decided by the rules is given to a person, at once and with a reason; nothing here
raises, and nothing is guessed in favour of the lighter outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, cast

import orjson

from services.routing.domain.facts import Facts
from services.routing.domain.tables import DESTINATIONS, Outcome, Said, Tables
from services.routing.domain.texts import Texts
from shared.events import Destination, Holder, Language, Level

LEFT_OUT = "left-out"
"""In place of its table: a row of destinations that hit, and whose offer the county lacks."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules propose, and everything needed to explain and replay it."""

    urgent_flags: tuple[str, ...]
    level: Level
    holder: Holder
    destinations: tuple[Destination, ...]
    rows: tuple[str, ...]  # every row that hit, as table/row; left-out/row: no such offer here
    facts: Facts
    version: str
    content_hash: str

    def to_json(self) -> bytes:
        """All of it in one canonical form: the same decision is the same bytes, anywhere."""
        return orjson.dumps(self, option=orjson.OPT_SORT_KEYS)


def decide(facts: Facts, tables: Tables) -> Decision:
    """Evaluate every row of the four tables on these facts."""
    proposal = _proposal(tables.evaluate(facts))
    return Decision(*proposal, dict(facts), tables.version, tables.content_hash)


class _Proposal(NamedTuple):
    """The first fields of a `Decision`: all that hangs on what the tables say alone."""

    urgent_flags: tuple[str, ...]
    level: Level
    holder: Holder
    destinations: tuple[Destination, ...]
    rows: tuple[str, ...]


@lru_cache(maxsize=10_000)
def _proposal(said: Said) -> _Proposal:
    urgent, level, holder, destinations = said.urgent, said.level, said.holder, said.destinations
    faults = ["facts/not-understood"] if said.strange else []
    faults += [f"level/{level.fault}"] if level.fault else []
    faults += [f"holder/{holder.fault}"] if holder.fault else []
    hits = (*urgent.hits, *level.hits, *holder.hits, *destinations.hits)
    left_out = [f"{LEFT_OUT}/{row.name}" for row in said.left_out]
    return _Proposal(
        urgent_flags=tuple(sorted(urgent.says)),
        level=said.stands,
        holder=_holder(holder, faults),
        destinations=tuple([each for each in DESTINATIONS if each in destinations.says]),
        rows=(*[row.ref for row in hits], *left_out, *faults),
    )


def reasons(decision: Decision, tables: Tables, language: Language) -> tuple[str, ...]:
    """Why, in words, one text for each row; rows of other versions are named instead."""
    texts: list[str] = []
    then, now = decision.version.split("+"), tables.version.split("+")
    same = {each.partition("@")[0] for each in then if each in now}
    for row in decision.rows:
        table, _, name = row.partition("/")
        out = table == LEFT_OUT
        table, ref = ("destinations", f"destinations/{name}") if out else (table, row)
        text = tables.reasons.get(ref) if table in same else None
        text = text or FAULT_TEXTS.get(name)
        said = text.in_language(language) if text else f"{row} ({decision.version})"
        texts.append(f"{_NOT_HERE.in_language(language)} {said}" if out else said)
    return tuple(texts)


def _holder(outcome: Outcome, faults: list[str]) -> Holder:
    if outcome.says == ("duty",):
        return "duty"  # whatever else is at fault: a person has it, and urgency comes first
    return "person_decides" if faults else cast("Holder", outcome.says[0])


_NOT_HERE = Texts(
    fi="Hyvinvointialueella ei ole tätä tarjolla, tai ei tämän ikäiselle, joten sitä ei ehdoteta:",
    sv="Välfärdsområdet har inte detta, eller inte för denna ålder, så det föreslås inte:",
    en="The county does not have this, or not for this age, so it is not proposed:",
)
FAULT_TEXTS: Mapping[str, Texts] = {
    "no-row": Texts(
        fi="Mikään sääntö ei sopinut. Ihminen ratkaisee.",
        sv="Ingen regel passade. En människa avgör.",
        en="No rule fitted. A person decides.",
    ),
    "rows-disagree": Texts(
        fi="Säännöt olivat ristiriidassa keskenään. Ihminen ratkaisee.",
        sv="Reglerna motsade varandra. En människa avgör.",
        en="Rules contradicted each other. A person decides.",
    ),
    "not-understood": Texts(
        fi="Osaa tiedoista ei voitu tulkita. Ihminen ratkaisee.",
        sv="En del av uppgifterna kunde inte tolkas. En människa avgör.",
        en="Some of the facts could not be understood. A person decides.",
    ),
}
