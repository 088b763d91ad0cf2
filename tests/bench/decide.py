"""How long the pure core takes: `python -m tests.bench.decide`. Microseconds, best of five."""

import random
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.routing.domain.clocks import clocks_for
from services.routing.domain.decision import decide
from services.routing.domain.facts import (
    ANSWER_FIELDS,
    COUNTS,
    MOVES,
    NOTHING_KNOWN,
    Facts,
    Known,
    derive,
    learn,
)
from services.routing.domain.tables import Tables, load_settings, load_tables
from shared.events import CodedFacts

RULES = Path(__file__).parents[2] / "services" / "routing" / "rules"
TURNS = 20_000


def main() -> None:
    tables = load_tables(RULES)
    county = tables.in_county(load_settings(RULES)[-1])
    coded = CodedFacts(
        in_danger="yes",
        reasons=("LOCAL-REASON-SELF-HARM", "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT"),
    )
    known = learn(NOTHING_KNOWN, coded)
    stored = known.to_json()
    facts = derive(known, age_band="7-12", urgency="not_urgent")
    received = datetime(2026, 11, 17, 10, tzinfo=UTC)
    measured: dict[str, Callable[[], object]] = {
        "clocks_for": lambda: clocks_for(received),
        "learn": lambda: learn(known, coded),
        "derive": lambda: derive(known, age_band="7-12", urgency="open"),
        "decide": lambda: decide(facts, tables),
        "decide in a county": lambda: decide(facts, county),
        "Known.to_json": known.to_json,
        "Known.from_json": lambda: Known.from_json(stored),
    }
    for name, call in measured.items():
        best = min(timeit.repeat(call, number=TURNS, repeat=5)) / TURNS * 1e6
        print(f"{name:18} {best:6.1f} µs")
    print(f"{'decide, a batch':18} {batch(county):6.1f} µs a case")
    loading = min(timeit.repeat(lambda: load_tables(RULES), number=1, repeat=5)) * 1e3
    print(f"{'load and prove':18} {loading:6.1f} ms")


def batch(tables: Tables) -> float:
    """Microseconds of this core for one of many cases, each another pattern of facts."""
    cases = [a_case(random.Random(seed)) for seed in range(TURNS)]
    taken = []
    for _ in range(5):
        begun = time.process_time()
        for facts in cases:
            decide(facts, tables)
        taken.append(time.process_time() - begun)
    return min(taken) / len(cases) * 1e6


def any_answers(chance: random.Random, most: int) -> Known:
    """Any answer to anything, and numbers up to `most`."""
    said: dict[str, Any] = {
        **{name: chance.randrange(most + 1) for name in COUNTS},
        **{name: chance.choice(["no", "unknown", "yes"]) for name in ANSWER_FIELDS},
        "moves": chance.choice(MOVES),
    }
    return Known(**said)


def a_case(chance: random.Random) -> Facts:
    return derive(
        any_answers(chance, 5), age_band="7-12", urgency=chance.choice(["open", "not_urgent"])
    )


if __name__ == "__main__":
    main()
