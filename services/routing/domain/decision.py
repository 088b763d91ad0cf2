"""The decision: facts and tables in, a proposal with all its reasons out. Total and pure.

What cannot be decided by the rules is given to a person, at once and with a reason; nothing here
raises, and nothing is guessed in favour of the lighter outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from services.routing.domain.facts import Facts
from services.routing.domain.tables import DESTINATIONS, LEVELS, Outcome, Tables, Texts
from shared.events import Destination, Holder, Language, Level


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules propose, and everything needed to explain and replay it."""

    urgent_flags: tuple[str, ...]
    level: Level
    holder: Holder
    destinations: tuple[Destination, ...]
    rows: tuple[str, ...]  # every row that hit, as table/row
    facts: Facts
    version: str
    content_hash: str


def decide(facts: Facts, tables: Tables) -> Decision:
    """Evaluate every row of the four tables on these facts."""
    seen, faults = _seen(facts, tables)
    urgent = tables.urgent.outcome(seen)
    level_outcome = tables.level.outcome(seen)
    level = seen["level"] = _level(level_outcome)
    holder_outcome = tables.holder.outcome(seen)
    destinations = tables.destinations.outcome(seen)

    faults += [f"level/{level_outcome.fault}"] if level_outcome.fault else []
    faults += [f"holder/{holder_outcome.fault}"] if holder_outcome.fault else []
    outcomes = (urgent, level_outcome, holder_outcome, destinations)
    return Decision(
        urgent_flags=tuple(sorted(urgent.says)),
        level=level,
        holder=_holder(holder_outcome, faults),
        destinations=tuple(each for each in DESTINATIONS if each in destinations.says),
        rows=tuple([row.ref for outcome in outcomes for row in outcome.hits] + faults),
        facts=dict(facts),
        version=tables.version,
        content_hash=tables.content_hash,
    )


def reasons(decision: Decision, tables: Tables, language: Language) -> tuple[str, ...]:
    """Why, in words, one text for each row; rows of other versions are named instead."""
    texts: list[str] = []
    then, now = decision.version.split("+"), tables.version.split("+")
    same = {each.partition("@")[0] for each in then if each in now}
    for row in decision.rows:
        table, _, name = row.partition("/")
        text = tables.reasons.get(row) if table in same else None
        text = text or _FAULT_TEXTS.get(name)
        texts.append(text.in_language(language) if text else f"{row} ({decision.version})")
    return tuple(texts)


def _seen(facts: Facts, tables: Tables) -> tuple[dict[str, str | int], list[str]]:
    """The facts as the rules may see them: what they do not understand is unknown."""
    seen = dict(facts)
    strange = False
    for column, values in tables.columns:
        if seen.get(column) not in values:
            seen[column] = "unknown"
            strange = True
    return seen, ["facts/not-understood"] if strange else []


def _level(outcome: Outcome) -> Level:
    if not outcome.says:
        return LEVELS[-1]  # a person decides; until then nobody treats it as light
    return cast("Level", max(outcome.says, key=lambda level: LEVELS.index(cast("Level", level))))


def _holder(outcome: Outcome, faults: list[str]) -> Holder:
    if outcome.says == ("duty",):
        return "duty"  # whatever else is at fault: a person has it, and urgency comes first
    return "person_decides" if faults else cast("Holder", outcome.says[0])


_FAULT_TEXTS: Mapping[str, Texts] = {
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
