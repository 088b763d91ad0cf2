"""What is remembered of a child: parts of names, homes, and what leaves of them."""

import unicodedata
from datetime import date

import pytest

from services.intake.domain.feeds import protected
from services.intake.domain.traits import (
    MOST_GUARDIANS,
    MOST_PARTS,
    WITH_ADDRESS,
    Described,
    Home,
    TraitKind,
    home_of,
    name_parts,
    notified,
    of_client,
    traits_of,
)
from shared.clients import ClientState
from shared.events import Guardian, NotifiedChild
from shared.hetu import make_hetu

BORN = date(2014, 5, 1)
GUARDED = ({"name": "Maija Koe", "turvakielto": "yes"},)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Aino Koe", "KOE, Aino"),
        ("Aino Koe-Näyte", "Aino Koe Näyte"),
        ("Anna-Maija Koe", "Koe Anna Maija"),
        ("Áile Ŋuolas", "ŊUOLAS ÁILE"),
        ("Ǥiehta Ǩeäʹđđ", "ǥiehta ǩeäʹđđ"),
        ("Åsa Öhman", unicodedata.normalize("NFD", "öhman åsa")),
        ("Aino (Ainu) Koe.", "aino ainu koe"),
        ("A. Koe", "Koe"),
        ("Ebba von Koe", "Koe, Ebba"),
        ("Kari O'Koe", "kari o’koe"),
    ],
)
def test_a_name_is_the_same_in_any_order_case_and_punctuation(one: str, other: str) -> None:
    assert name_parts(one) == name_parts(other)
    assert name_parts(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Åsa", "Asa"), ("Päivi", "Paivi"), ("Áile", "Aile"), ("Ŋuolas", "Nuolas"), ("Öö", "Oo")],
)
def test_letters_with_marks_are_letters_of_their_own(one: str, other: str) -> None:
    assert name_parts(one) != name_parts(other)


def test_a_letter_whose_mark_has_no_form_together_with_it_is_not_torn_apart() -> None:
    assert name_parts("Ǯ\u0301ak Koe") == ("koe", "ǯ\u0301ak")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Testikatu 1 A 2, 00100 Helsinki", "testikatu 1 a2"),
        ("Testikatu 1 A 2 00100 HELSINKI", "Testikatu 1 A as. 2"),
        ("Provgatan 3 lgh 4, Esbo", "Provgatan 3 4"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert home_of([], one).address == home_of([], other).address != ""


@pytest.mark.parametrize("text", ["ei tiedossa", "Helsinki", "00100 Helsinki", "12", "", "—"])
def test_what_names_no_place_is_no_evidence_of_a_home(text: str) -> None:
    assert home_of([], text) == Home()


def test_a_guardian_of_one_word_is_no_evidence_of_a_home() -> None:
    assert home_of(["äiti", "Äiti"], None) == Home()
    assert home_of(["Koe Maija", "Maija Koe", "Pekka Koe"], None).guardians == (
        "koe maija", "koe pekka",
    )  # fmt: skip


def test_every_trait_joins_a_name_with_a_birthday_or_a_home() -> None:
    child = Described(("aino", "koe"), BORN, Home(("koe maija",), "testikatu 1"))

    traits = traits_of(child)

    assert {kind for kind, _ in traits} == set(TraitKind)
    for kind, value in traits:
        names = {"aino", "koe"} & set(value.split("\0"))
        two = {TraitKind.NAMES_BORN, TraitKind.NAMES_GUARDIAN, TraitKind.NAMES_ADDRESS}
        assert len(names) == (2 if kind in two else 1)
        assert {"2014-05-01", "koe maija", "testikatu 1"} & set(value.split("\0"))
    assert len(set(traits)) == len(traits) == 1 + 2 * 2 + 2


def test_a_name_alone_and_a_date_alone_leave_nothing() -> None:
    assert traits_of(Described(("aino", "koe"), None, Home())) == []
    assert traits_of(Described((), BORN, Home(("koe maija",), "testikatu 1"))) == []
    assert traits_of(Described(("aino",), BORN, Home())) == []


def test_nobody_has_many_traits_however_much_is_told() -> None:
    many = NotifiedChild(
        name=" ".join(f"nimi{n}" for n in range(30)),
        birth_date=BORN,
        address="Testikatu 1",
        guardians=tuple(Guardian(name=f"Huoltaja{n} Koe") for n in range(10)),
    )

    assert len(traits_of(notified(many))) <= 80
    assert (MOST_PARTS, MOST_GUARDIANS) == (5, 3)


def test_a_henkilotunnus_tells_the_birthday() -> None:
    code = make_hetu(BORN, 903).value

    by_code = traits_of(notified(NotifiedChild(name="Aino Koe", hetu=code)))
    by_date = traits_of(notified(NotifiedChild(name="Koe Aino", birth_date=BORN)))

    assert by_code == by_date != []


def client(**more: object) -> ClientState:
    person = {"name": "Aino Koe", "birth_date": BORN, "address": "Testikatu 1"}
    state = {"reference": "a-1", "version": 1, "person": person, "guardians": (), **more}
    return ClientState.model_validate(state)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"turvakielto": "no"}, True),
        ({"turvakielto": "yes"}, False),
        ({"turvakielto": "unknown"}, False),
        ({"turvakielto": "no", "guardians": None}, False),
        ({"turvakielto": "no", "guardians": GUARDED}, False),
    ],
)
def test_the_client_feed_s_address_counts_only_where_nobody_is_protected(
    said: dict[str, object],
    expected: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    state = client(**said)

    kinds = {kind for kind, _ in traits_of(of_client(state, protected(state)))}

    assert bool(kinds & set(WITH_ADDRESS)) == expected
    assert TraitKind.NAMES_BORN in kinds


def test_a_parent_without_custody_is_no_home() -> None:
    guardians = ({"name": "Maija Koe", "custody": "none"}, {"name": "Pekka Koe"})

    assert of_client(client(guardians=guardians), "no").home.guardians == ("koe pekka",)
