"""How long the pure core takes: `python -m tests.bench.decide`. Microseconds, best of five."""

import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from services.routing.domain.clocks import clocks_for
from services.routing.domain.decision import decide
from services.routing.domain.facts import NOTHING_KNOWN, Known, derive, learn
from services.routing.domain.tables import load_tables
from shared.events import CodedFacts

RULES = Path(__file__).parents[2] / "services" / "routing" / "rules"
TURNS = 20_000


def main() -> None:
    tables = load_tables(RULES)
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
        "Known.to_json": known.to_json,
        "Known.from_json": lambda: Known.from_json(stored),
    }
    for name, call in measured.items():
        best = min(timeit.repeat(call, number=TURNS, repeat=5)) / TURNS * 1e6
        print(f"{name:16} {best:6.1f} µs")
    loading = min(timeit.repeat(lambda: load_tables(RULES), number=1, repeat=5)) * 1e3
    print(f"{'load and prove':16} {loading:6.1f} ms")


if __name__ == "__main__":
    main()
