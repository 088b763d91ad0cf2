"""Whoever reads a change is told every row that differs, and what it said and says."""

from deploy.cli.rules import SHIPPED
from services.routing.domain.tables.changes import Changed, changes
from services.routing.domain.tables.loading import read_newest
from services.routing.domain.tables.written import WrittenRow, WrittenTable

BEFORE = next(table for table in read_newest(SHIPPED) if table.table == "destinations")
ROWS = {row.id: row for row in BEFORE.rows}


def with_row(row: WrittenRow) -> WrittenTable:
    rows = tuple(row if each.id == row.id else each for each in BEFORE.rows)
    return BEFORE.model_copy(update={"version": "2027-01", "rows": rows})


def test_another_outcome_of_a_row_is_told_with_both() -> None:
    lighter = ROWS["expert-group"].model_copy(update={"then": "basic_services"})

    found = changes(BEFORE, with_row(lighter))
    assert (Changed("expert-group", ("then expert_group → basic_services",)),) == found.changed
    assert (
        f"since {BEFORE.version}: changed expert-group (then expert_group → basic_services)"
        == found.in_language("en")
    )


def test_the_parts_of_a_row_that_differ_are_named() -> None:
    row = ROWS["expert-group"]
    moved = row.model_copy(update={"when": {}, "basis": "own construction"})

    (changed,) = changes(BEFORE, with_row(moved)).changed
    assert Changed("expert-group", ("when", "basis")) == changed


def test_rows_that_came_and_went_are_told() -> None:
    came = ROWS["expert-group"].model_copy(update={"id": "expert-team"})
    rows = (*(row for row in BEFORE.rows if row.id != "expert-group"), came)

    found = changes(BEFORE, BEFORE.model_copy(update={"rows": rows}))
    assert ((), ("expert-team",), ("expert-group",)) == found[1:]
    assert found.in_language("fi").endswith(": uutta expert-team; poistettu expert-group")


def test_the_order_of_rows_is_no_change_and_the_owner_is() -> None:
    turned = BEFORE.model_copy(update={"rows": BEFORE.rows[::-1]})

    assert changes(BEFORE, turned).in_language("sv").endswith(": inga skillnader")
    owned = changes(BEFORE, turned.model_copy(update={"owner": "Somebody"}))
    assert owned.in_language("en").endswith(": changed owner")
