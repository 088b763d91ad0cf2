"""Who lives with whom, and what the others of a household add to a child's screening."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.facts import NOTHING_KNOWN, Known, derive, learn
from services.routing.domain.households import (
    ALONE,
    Family,
    Home,
    Homes,
    Member,
    family_of,
    with_family,
)
from services.routing.domain.windows import Seen
from shared.events import CodedFacts

ELDER, YOUNGER, COUSIN = UUID(int=1), UUID(int=2), UUID(int=3)
HERE, THERE = UUID(int=10), UUID(int=20)
PLACES = st.builds(
    Home, st.sampled_from([HERE, THERE]), st.sampled_from([ELDER, YOUNGER, COUSIN]),
    st.booleans(), st.booleans(),
)  # fmt: skip


MESSAGES = st.builds(Seen, st.integers(0, 9), st.sampled_from("AB"), st.text("0123", max_size=2))


def told(*reasons: str) -> Known:
    codes = tuple(f"LOCAL-REASON-{reason}" for reason in reasons)
    return learn(NOTHING_KNOWN, CodedFacts(reasons=codes))  # type: ignore[arg-type]


@given(st.lists(PLACES, max_size=12))
def test_whoever_lives_with_me_i_live_with(homes: list[Home]) -> None:
    found = Homes(homes)

    for one in (ELDER, YOUNGER, COUSIN):
        assert one not in found.others([one])
        for other in found.others([one]):
            assert one in found.others([other])
            assert found.of(one) & found.of(other)


def test_a_workers_word_stands_against_what_messages_and_the_feed_say() -> None:
    homes = Homes([Home(HERE, ELDER), Home(HERE, YOUNGER, fed=True)])
    assert {YOUNGER} == homes.others([ELDER])

    homes.take_out(YOUNGER, [HERE])
    homes.feed(YOUNGER, [HERE])
    assert not homes.move_in(YOUNGER, HERE)

    assert set() == homes.others([ELDER])
    homes.bring(YOUNGER, HERE)
    assert {YOUNGER} == homes.others([ELDER])


def test_a_child_that_the_feed_says_has_moved_lives_with_the_others_no_more() -> None:
    homes = Homes([Home(HERE, ELDER, fed=True), Home(HERE, YOUNGER, fed=True)])

    homes.feed(ELDER, [THERE])

    assert set() == homes.others([ELDER]) == homes.others([YOUNGER])


def test_children_of_two_households_are_siblings_in_both() -> None:
    homes = Homes([Home(HERE, ELDER), Home(HERE, YOUNGER), Home(THERE, ELDER), Home(THERE, COUSIN)])

    assert {YOUNGER, COUSIN} == homes.others([ELDER])
    assert {ELDER} == homes.others([YOUNGER])


def test_what_is_said_of_parenting_counts_for_each_child_of_the_household() -> None:
    family = family_of([Member(told("GUARDIAN-EXHAUSTION")), Member(told("CUSTODY-DISPUTE"))])
    mine = with_family(told("SCHOOL"), family)

    facts = derive(mine, age_band="7-12", urgency="not_urgent")

    assert Family(2, "yes", "yes") == family
    assert ("yes", "yes", "yes") == (facts["a5"], facts["a8"], facts["a9"])
    assert 3 == facts["areas_of_concern"]
    assert "unknown" == facts["custody_dispute"], "that a dispute is about this child was not said"


def test_two_children_of_a_household_are_problems_that_pile_up() -> None:
    alone = derive(told("SCHOOL"), age_band="7-12", urgency="not_urgent")
    both = with_family(told("SCHOOL"), family_of([Member(told("ILLNESS"))]))

    assert "unknown" == alone["a7"]
    assert "yes" == derive(both, age_band="7-12", urgency="not_urgent")["a7"]


def test_a_child_whom_nobody_has_notified_of_adds_nothing() -> None:
    assert ALONE == family_of([Member(NOTHING_KNOWN)])
    assert told("SCHOOL") == with_family(told("SCHOOL"), ALONE)


@given(
    st.builds(
        Family, st.integers(0, 9), *[st.sampled_from(("no", "unknown", "yes"))] * 2,
        st.lists(MESSAGES, max_size=5).map(tuple),
    )
)  # fmt: skip
def test_what_a_household_adds_is_stored_and_read_as_it_was(family: Family) -> None:
    assert family == Family.from_json(family.to_json())


def test_a_family_that_was_stored_before_messages_were_counted_can_be_read() -> None:
    assert Family(1, "yes") == Family.from_json('{"notified":1,"a8":"yes","a9":"unknown"}')
