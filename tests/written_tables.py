"""Any rule tables that can be written at all, in form or not."""

from collections.abc import Sequence
from itertools import zip_longest

from hypothesis import Phase, settings
from hypothesis import strategies as st

from deploy.cli.rules import SHIPPED
from services.routing.domain.tables.loading import read_newest
from services.routing.domain.tables.written import (
    NAMES,
    Allowed,
    Condition,
    Examples,
    Hit,
    Interval,
    TableName,
    WrittenRow,
    WrittenTable,
)
from services.routing.domain.texts import Texts

UNSHRUNK = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""Whole tables take minutes to shrink, and `differences` says which part it is."""

# What a file can hold; a carriage return or a control character is none of it.
_SIGNS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"])
_TEXT = st.text(_SIGNS | st.just("\n"), max_size=30)
WORDS = _TEXT.map(str.strip).filter(lambda text: text and not text.startswith("="))
TEXTS = st.builds(Texts, fi=WORDS, sv=WORDS, en=WORDS)
SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,4}([-_][a-z0-9]{1,4}){0,2}", fullmatch=True)
CODES = st.sampled_from(["yes", "no", "7-12", "3", "2..4", ">= 3", "", " a", "#", "not_urgent"])
NAMED = CODES | st.text("ab\"',;:=[]{}# \nä", max_size=6)
LISTS = st.lists(NAMED, max_size=4).map(tuple)
_ENDS = st.integers(-(10**6), 10**6)
INTERVALS = (
    st.tuples(_ENDS | st.none(), _ENDS | st.none())
    .filter(lambda ends: ends != (None, None))
    .map(lambda ends: Interval(at_least=ends[0], at_most=ends[1]))
)
COLUMNS = st.sampled_from(["psych", "urgency", "areas_unknown", "level"]) | NAMED
CONDITIONS: st.SearchStrategy[Condition] = LISTS | INTERVALS
EXAMPLES = st.lists(st.dictionaries(COLUMNS, NAMED | LISTS, max_size=3), max_size=3).map(tuple)
ROWS = st.builds(
    WrittenRow,
    id=SLUGS,
    when=st.dictionaries(COLUMNS, CONDITIONS, max_size=3),
    unless=LISTS,
    then=SLUGS,
    reason=TEXTS,
    basis=WORDS,
    owner=st.none() | WORDS,
    exception=st.none() | st.builds(Allowed, reason=TEXTS),
    examples=st.none() | st.builds(Examples, match=EXAMPLES, no_match=EXAMPLES),
)
HITS: st.SearchStrategy[Hit] = st.sampled_from(["collect", "unique", "agreeing"])


def a_table(name: TableName) -> st.SearchStrategy[WrittenTable]:
    """Any table of this name."""
    return st.builds(
        WrittenTable,
        table=st.just(name),
        version=st.from_regex(r"20[0-9]{2}-[0-9]{2}(\.[0-9])?", fullmatch=True),
        hit=HITS,
        owner=WORDS,
        note=TEXTS,
        contents=st.none() | LISTS,
        rows=st.lists(ROWS, max_size=3).map(tuple),
    )


def _among_the_shipped(table: WrittenTable) -> tuple[WrittenTable, ...]:
    return tuple(table if each.table == table.table else each for each in read_newest(SHIPPED))


FOUR_TABLES = st.sampled_from(NAMES).flatmap(a_table).map(_among_the_shipped)
"""The shipped tables, one of them replaced by any."""


def differences(some: Sequence[WrittenTable], others: Sequence[WrittenTable]) -> list[object]:
    """What differs, part by part: a comparison of whole tables takes pytest minutes to tell."""
    return [
        (one.table, name, getattr(one, name), getattr(other, name))
        for one, other in zip(some, others, strict=True)
        for name in WrittenTable.model_fields
        if name != "rows" and getattr(one, name) != getattr(other, name)
    ] + [
        (one.table, row, found)
        for one, other in zip(some, others, strict=True)
        for row, found in zip_longest(one.rows, other.rows)
        if row != found
    ]
