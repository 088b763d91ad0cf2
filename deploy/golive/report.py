"""The reconciliation in words, for a terminal: counts, line numbers and fields, nobody's data."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from deploy.golive.importing import Difference, There
from deploy.golive.line import CLOCK_KINDS
from deploy.golive.plan import Figures, Matter, Plan, Wrong, figures, late

LONG_AGO = timedelta(days=31)  # what lies further back only a supervisor may record

Row = tuple[str, ...]


def planned(plan: Plan, now: datetime) -> str:
    """What the dry run tells."""
    found = figures(plan.matters)
    rows: list[Row] = [
        ("lines", str(plan.lines)),
        ("lines that are right", str(len(plan.matters) - _corrections(plan))),
        ("lines that are wrong", str(len({each.line for each in plan.wrong}))),
        *_counted("matters", Counter(each.kind.name for each in plan.matters)),
        ("notifications (one for each child)", str(found.notifications)),
        *_counted("acts", found.acts),
        ("acts more than 31 days back", str(_long_ago(plan.matters, now))),
        *_clock_rows("clocks that will run", found.running),
        *_clock_rows("of these late already", late(plan.matters, now)),
        *_due_rows(found),
    ]
    told = table(rows)
    if plan.wrong:
        return f"{told}\n\n{_wrong(plan.wrong)}\nNothing was sent. Mend the lines first."
    return f"{told}\n\nNothing is wrong. Nothing was sent: --run sends it."


def compared(plan: Plan, there: There) -> str:
    """What the run tells at its end: planned beside what is there."""
    wanted, found = figures(plan.matters), there.figures
    messages, acts = there.messages, there.acts
    rows: list[Row] = [
        ("", "PLANNED", "THERE"),
        ("matters", str(len(plan.matters)), str(messages["accepted"] + messages["repeated"])),
        *_of("accepted now", messages["accepted"]),
        *_of("accepted before", messages["repeated"]),
        *_of("refused", messages["refused"]),
        ("notifications", str(wanted.notifications), str(found.notifications)),
        ("acts", str(wanted.acts.total()), str(acts["recorded"] + acts["already there"])),
        *_of("recorded now", acts["recorded"]),
        *_of("recorded before", acts["already there"]),
        *_of("refused", acts["refused"]),
        *(
            (f"clocks that run: {kind}", str(wanted.running[kind]), str(found.running[kind]))
            for kind in CLOCK_KINDS
        ),
        *(
            (f"sum of their ends: {kind}", str(wanted.due[kind]), str(found.due[kind]))
            for kind in CLOCK_KINDS
        ),
    ]
    if there.differences:
        told = "\n".join(_difference(each) for each in there.differences)
        return f"{table(rows)}\n\nDifferences: {len(there.differences)}\n{told}"
    return f"{table(rows)}\n\nNo difference."


def table(rows: Sequence[Row]) -> str:
    """Rows with their columns below each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _counted(what: str, found: Counter[str]) -> list[Row]:
    return [
        (what, str(found.total())),
        *((f"  {name}", str(count)) for name, count in sorted(found.items())),
    ]


def _clock_rows(what: str, found: Counter[str]) -> list[Row]:
    return [
        (what, str(found.total())),
        *((f"  {kind}", str(found[kind])) for kind in CLOCK_KINDS),
    ]


def _due_rows(found: Figures) -> list[Row]:
    return [(f"sum of their ends: {kind}", str(found.due[kind])) for kind in CLOCK_KINDS]


def _of(what: str, count: int) -> list[Row]:
    return [(f"  {what}", "", str(count))]


def _long_ago(matters: Iterable[Matter], now: datetime) -> int:
    acts = (act for matter in matters for child in matter.children for act in child.acts)
    return sum(act.done_at < now - LONG_AGO for act in acts)


def _corrections(plan: Plan) -> int:
    """Lines that are right by themselves and wrong beside the others."""
    return len({each.line for each in plan.wrong} & {each.line for each in plan.matters})


def _wrong(wrong: Sequence[Wrong]) -> str:
    return "\n".join(f"line {each.line}: {each.field}: {each.mend}" for each in wrong)


def _difference(each: Difference) -> str:
    return f"line {each.line}: {each.what}"
