"""How many answers a decision takes until it is final: ``python -m tests.bench.questions``.

The sample county's year goes through the pure domain; each matter's urgency is judged as it really
is. Then its questions are answered one after the other, the first that is asked each time: as the
county's truth has it (clientship, a custody dispute), and where that says nothing "yes" or "no" at
random from a seed, "yes" as often as the sample workers are told so where anybody knows. Last, how
long finding the questions takes, in microseconds a decision of that year.
"""

import argparse
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from deploy.cli.shares import judged_as
from deploy.sample.screening import Heard, screened_year
from deploy.sample.staff.social import AT_ONCE, SAID
from services.routing.domain.cases import InForce
from services.routing.domain.facts import Known, UrgencyState
from services.routing.domain.questions import Questions
from services.routing.domain.tables import LEVELS, load_settings, load_tables
from shared.events import AgeBand, Answer, Level

RULES = Path(__file__).parents[2] / "services" / "routing" / "rules"
SAYS_YES = SAID["yes"] / (SAID["yes"] + SAID["no"])

Pattern = tuple[Known, AgeBand, UrgencyState]


class Asked(NamedTuple):
    """A matter: how many answers it took, and the level it came to."""

    answers: int
    level: Level


def until_final(
    year: Iterable[Heard], rules: InForce, *, seed: int = 7, says_yes: float = SAYS_YES,
    every: bool = False,
) -> Iterator[Asked]:  # fmt: skip
    """Each child's first matter of the year; `every` matter, with what was answered before."""
    chance = random.Random(seed)
    told: dict[str, dict[str, Answer]] = {}
    for heard in year:
        before = told.get(heard.child)
        if not heard.asked or (before is not None and not every):
            continue
        answers = told.setdefault(heard.child, {})
        known, count = _with(heard.known, answers), 0
        while asked := rules.questions.names(known, heard.age_band, judged_as(heard)):
            answers[asked[0]] = _answer(asked[0], heard, chance.random() < says_yes)
            known, count = _with(known, answers), count + 1
        decision, _ = rules.decide(known, heard.age_band, judged_as(heard))
        yield Asked(count, decision.level)


def _answer(question: str, heard: Heard, says_yes: bool) -> Answer:  # noqa: FBT001 -- as drawn
    truth = {"is_client": heard.client, "custody_dispute": heard.dispute}
    return "yes" if truth.get(question, says_yes) else "no"


def _with(known: Known, answers: Mapping[str, Answer]) -> Known:
    """What was answered, where no notification has said it."""
    open_: dict[str, Any] = {n: a for n, a in answers.items() if getattr(known, n) == "unknown"}
    return known._replace(**open_)


def spread(counts: Iterable[int]) -> tuple[int, int, int, int]:
    """How many there are, median, 90th percentile and the most."""
    found = sorted(counts)
    if not found:
        return 0, 0, 0, 0
    return len(found), found[len(found) // 2], found[len(found) * 9 // 10], found[-1]


def microseconds(year: Iterable[Heard], rules: InForce) -> tuple[float, float, float]:
    """Of finding the questions of a year's decisions: the first time, the second; and deciding."""
    patterns: list[Pattern] = []
    for heard in year:
        states: list[UrgencyState] = ["open", judged_as(heard)] if heard.asked else ["not_asked"]
        patterns += [(heard.known, heard.age_band, urgency) for urgency in states]
    questions = Questions(rules.tables)
    taken = []
    for ask in (questions.names, questions.names, InForce(rules.tables).decide):
        begun = time.process_time()
        for pattern in patterns:
            ask(*pattern)
        taken.append((time.process_time() - begun) / len(patterns) * 1e6)
    return taken[0], taken[1], taken[2]


def _in_force() -> InForce:
    """The shipped tables in the county of the newest settings."""
    tables = load_tables(RULES)
    return InForce(tables.in_county(load_settings(RULES)[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--says-yes", type=float, default=SAYS_YES, help="share of answers")
    arguments = parser.parse_args()
    year, rules = screened_year(), _in_force()
    for what, every in (("each child's first matter", False), ("every matter of the year", True)):
        asked = [
            *until_final(year, rules, seed=arguments.seed, says_yes=arguments.says_yes, every=every)
        ]
        print(f"{what}: answers until the decision is final, by the level it comes to")
        print(f"{'':10} {'matters':>8} {'median':>7} {'p90':>5} {'max':>5}")
        for name in ("all", *LEVELS):
            counts = [each.answers for each in asked if name in ("all", each.level)]
            number, median, most_of_them, most = spread(counts)
            print(f"{name:10} {number:8,} {median:7} {most_of_them:5} {most:5}")
        at_once = sum(each.answers <= AT_ONCE for each in asked) / len(asked)
        print(f"within one form of {AT_ONCE}: {at_once:.0%}\n")
    first, again, deciding = microseconds(year, rules)
    print(
        f"finding the questions: {first:.1f} µs a decision of the year in a new process, "
        f"{again:.1f} µs where the pattern has come before; deciding itself {deciding:.1f} µs"
    )


if __name__ == "__main__":
    main()
