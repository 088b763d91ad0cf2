"""Conditions in FEEL, the expressions of DMN."""

from services.routing.domain.tables.written import Condition, Interval, WrittenRow


def text_of(text: str) -> str:
    """A text as FEEL writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def entry_of(condition: Condition) -> str:
    """A condition as the test of a rule's input."""
    if not isinstance(condition, Interval):
        return ", ".join(map(text_of, condition))
    low, high = condition.at_least, condition.at_most
    if high is None:
        return f">= {low}"
    return f"<= {high}" if low is None else f"[{low}..{high}]"


def holds(row: WrittenRow) -> str:
    """Whether a row's own conditions hold, as an expression."""
    return " and ".join(_asked(fact, row.when[fact]) for fact in sorted(row.when)) or "true"


def _asked(fact: str, condition: Condition) -> str:
    """Each comparison in brackets of its own: some readers know no precedence."""
    if not isinstance(condition, Interval):
        tests, joined = [f"({fact} = {text_of(value)})" for value in condition], " or "
    else:
        ends = [(">=", condition.at_least), ("<=", condition.at_most)]
        tests, joined = [f"({fact} {sign} {end})" for sign, end in ends if end is not None], " and "
    return tests[0] if len(tests) == 1 else f"({joined.join(tests)})"
