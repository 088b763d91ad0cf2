"""Who is suggested to be the same person, and why."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID, uuid4

import pytest

from services.intake.domain.alike import MOST, Alike, Person, Reason, suggested
from services.intake.domain.traits import Described, TraitKind, home_of, name_parts, traits_of

BORN, LATER = date(2014, 5, 1), date(2016, 8, 9)
MAIJA, PEKKA = ["Maija Koe"], ["Pekka Koe"]


def told(
    name: str, born: date | None = BORN, guardians: Iterable[str] = (), address: str = ""
) -> Described:
    return Described(name_parts(name), born, home_of(list(guardians), address))


def person(child: Described, ident: UUID | None = None, *joined: UUID) -> Person:
    ident = ident or uuid4()
    return Person(ident, frozenset({ident, *joined}), dated=child.born is not None)


def alike(own: Described, other: Described, who: Person | None = None) -> Alike:
    """What the tables would say of two children."""
    shared: dict[TraitKind, int] = {}
    for kind, _ in set(traits_of(own)) & set(traits_of(other)):
        shared[kind] = shared.get(kind, 0) + 1
    return Alike(who or person(other), shared)


def reasons(own: Described, other: Described) -> tuple[Reason, ...]:
    found = suggested(person(own), [alike(own, other)], ())
    return found[0].reasons if found else ()


AINO = told("Aino Koe", BORN, MAIJA, "Testikatu 1")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (told("Koe Aino Maria"), ("birth-date", "names")),
        (told("Aino Koe", BORN, MAIJA), ("birth-date", "names", "home")),
        (told("Aino Uusinimi", BORN, [], "testikatu 1"), ("birth-date", "name", "home")),
        (told("Eino Koe", BORN, MAIJA), ("birth-date", "name", "home")),  # a twin
        (told("Aino Koe", None, MAIJA), ("names", "home")),
        (told("Aino Koe", None, [], "Testikatu 1"), ("names", "home")),
        (told("Aino Koe", LATER, MAIJA, "Testikatu 1"), ()),
        (told("Aino Koe", None), ()),
        (told("Aino Uusinimi", BORN), ()),
        (told("Eino Koe", LATER, MAIJA, "Testikatu 1"), ()),  # a sibling
        (told("Eino Koe", None, MAIJA, "Testikatu 1"), ()),  # one part of the name
        (told("Aino Koe", None, PEKKA, "Testikatu 2"), ()),
    ],
)
def test_the_rule_is_the_same_from_both_sides(
    other: Described, expected: tuple[Reason, ...]
) -> None:
    assert reasons(AINO, other) == reasons(other, AINO) == expected


def test_who_is_joined_to_the_child_is_not_suggested() -> None:
    one, other = uuid4(), uuid4()
    own = Person(one, frozenset({one, other}), dated=True)

    assert suggested(own, [alike(AINO, AINO, person(AINO, other))], ()) == ()


def test_whom_a_worker_found_to_be_another_is_not_suggested_nor_whoever_has_that_case() -> None:
    found_other, holder = uuid4(), uuid4()
    whole = person(AINO, holder, found_other)

    assert suggested(person(AINO), [alike(AINO, AINO, whole)], {found_other}) == ()
    assert len(suggested(person(AINO), [alike(AINO, AINO, whole)], {uuid4()})) == 1


def test_the_likeliest_come_first_and_there_is_an_end() -> None:
    own = person(AINO)
    by_home = [told("Aino Koe", None, MAIJA)] * 5
    twins = [told("Eino Koe", BORN, MAIJA)] * 5
    by_name = [told("Aino Koe")] * 5
    both = [told("Aino Koe", BORN, MAIJA)] * 10
    others = [alike(AINO, each) for each in (*by_home, *twins, *by_name, *both)]

    found = suggested(own, others, ())

    assert len(found) == MOST
    assert [each.reasons for each in found] == (
        [("birth-date", "names", "home")] * 10
        + [("birth-date", "names")] * 5
        + [("birth-date", "name", "home")] * 5
    )
    assert suggested(own, reversed(others), ()) == found
