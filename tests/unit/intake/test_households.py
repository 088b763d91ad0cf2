"""Children of one message who share a home."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.households import sharing
from services.intake.domain.traits import Home

homes = st.lists(
    st.builds(
        Home,
        st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=3, unique=True).map(tuple),
        st.sampled_from(["", "", "a", "x 1", "y 2"]),
    ),
    max_size=8,
)


def share(one: Home, other: Home) -> bool:
    return bool(set(one.guardians) & set(other.guardians)) or (one.address == other.address != "")


def test_siblings_of_two_families_in_one_message_are_two_households() -> None:
    told = [
        Home(("koe maija",)), Home(("esimerkki aili",)), Home(("koe maija", "koe pekka")),
        Home((), "testikatu 1"), Home(("koe pekka",), "testikatu 9"),
        Home(("esimerkki aili",), "testikatu 8"),
    ]  # fmt: skip

    assert sharing(told) == [0, 1, 0, None, 0, 1]


def test_a_guardian_and_an_address_of_the_same_words_are_no_shared_home() -> None:
    assert sharing([Home(("a",)), Home((), "a")]) == [None, None]


@given(homes)
def test_whoever_shares_a_home_is_in_one_household_and_nobody_else(told: list[Home]) -> None:
    found = sharing(told)

    reached = [{place} for place in range(len(told))]
    for _ in told:  # the plain closure, as slow as it likes
        for one in range(len(told)):
            for other in list(reached[one]):
                reached[one] |= {p for p in range(len(told)) if share(told[other], told[p])}
    for one in range(len(told)):
        others = reached[one] - {one}
        assert (found[one] is None) == (not others)
        for other in range(len(told)):
            if one != other:
                assert (found[one] == found[other] != None) == (other in others)  # noqa: E711


@given(homes)
def test_the_order_of_children_changes_no_household(told: list[Home]) -> None:
    forth, back = sharing(told), sharing(told[::-1])[::-1]

    for one in range(len(told)):
        for other in range(len(told)):
            assert (forth[one] is None) == (back[one] is None)
            if forth[one] is not None and forth[other] is not None:
                assert (forth[one] == forth[other]) == (back[one] == back[other])
