from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hetu import CENTURIES, InvalidHetuError, contains_hetu, make_hetu, parse_hetu

# law.md HET-04: published test codes of the reform, none belongs to a person.
PUBLISHED = """
010594Y9032 010594Y9021 020594X903P 020594X902N 030594W903B 030694W9024 040594V9030 040594V902Y
050594U903M 050594U902L 010516B903X 010516B902W 020516C903K 020516C902J 030516D9037 030516D9026
010501E9032 020502E902X 020503F9037 020504A902E 020504B904H
""".split()

BIRTHS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
TEST_NUMBERS = st.integers(900, 999)


@pytest.mark.parametrize("code", PUBLISHED)
def test_every_published_test_code_is_read(code: str) -> None:
    hetu = parse_hetu(code)

    assert code == hetu.value
    assert f"{hetu.born:%d%m%y}" == code[:6]
    assert CENTURIES[code[6]] == hetu.born.year // 100 * 100
    assert hetu.is_temporary


@pytest.mark.parametrize(
    ("separator", "born"),
    [
        ("+", date(1890, 5, 1)),
        *((separator, date(1990, 5, 1)) for separator in "-YXWVU"),
        *((separator, date(2090, 5, 1)) for separator in "ABCDEF"),
    ],
)
def test_the_separator_names_the_century(separator: str, born: date) -> None:
    assert born == parse_hetu(make_hetu(born, 901, separator).value).born


def test_codes_that_differ_only_in_the_separator_are_two_persons() -> None:
    assert parse_hetu("100190-999P") != parse_hetu("100190Y999P")
    assert parse_hetu("100190-999P").born == parse_hetu("100190Y999P").born


def test_small_letters_and_spaces_around_are_read_as_the_same_code() -> None:
    assert parse_hetu("020594X903P") == parse_hetu(" 020594x903p\n")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("010594Y9033", "check character"),
        ("020594Y9032", "check character"),
        ("010594Y9042", "check character"),
        ("310294-9036", "no date"),
        ("290223A901B", "no date"),
        ("000190-9015", "no date"),
        ("011390-902F", "no date"),
        ("010190-001P", "below 002"),
        ("010190-000N", "below 002"),
        ("010594G9032", "shape"),
        ("010594Z9032", "shape"),
        ("010594 9032", "shape"),
        ("0105949032", "shape"),
        ("010594Y903", "shape"),
        ("010594Y90322", "shape"),
        ("10594Y9032", "shape"),
        ("010594Y903I", "shape"),
        ("010594Y903O", "shape"),
        ("01.05.94Y9032", "shape"),
        ("010594--9032", "shape"),
        ("abcdefYghij", "shape"),
        ("", "shape"),
    ],
)
def test_a_wrong_code_is_refused_with_the_reason_and_without_the_code(code: str, why: str) -> None:
    if why == "no date":  # a right check character, so that the date itself is what is wrong
        code = code[:10] + "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(code[:6] + code[7:10]) % 31]

    with pytest.raises(InvalidHetuError, match=why) as refused:
        parse_hetu(code)
    assert not code or code not in str(refused.value)


@given(BIRTHS, TEST_NUMBERS)
def test_a_made_code_is_read_back(born: date, individual: int) -> None:
    hetu = make_hetu(born, individual)

    assert (born, True) == (hetu.born, hetu.is_temporary)
    assert hetu == parse_hetu(hetu.value)


@given(BIRTHS, TEST_NUMBERS, st.integers(0, 9), st.integers(0, 9))
def test_one_wrong_digit_is_always_noticed(
    born: date, individual: int, place: int, digit: int
) -> None:
    code = make_hetu(born, individual).value
    place = place if place < 6 else place + 1
    wrong = code[:place] + str(digit) + code[place + 1 :]

    if wrong != code:
        with pytest.raises(InvalidHetuError):
            parse_hetu(wrong)


def test_a_code_never_shows_itself_when_printed() -> None:
    hetu = parse_hetu("010594Y9032")

    assert "Hetu(***)" == repr(hetu) == str(hetu) == f"{hetu}"


def test_numbers_from_900_are_temporary_and_lower_ones_are_persons() -> None:
    assert make_hetu(date(1990, 1, 1), 900).is_temporary
    assert not make_hetu(date(1990, 1, 1), 899).is_temporary


@pytest.mark.parametrize(
    "text",
    [
        "010594Y9032",
        "Lapsi 020516c903k, koulu",
        "(010594Y9032)",
        "ä010594Y9032ö",
        "hetu=100190-999P;",
        "rivi\n010516B903X\nrivi",
        '{"hetu":"010594Y9032"}',
        "x010594Y9032",
        "100190\u2013999P",
    ],
)
def test_a_code_inside_other_text_is_found(text: str) -> None:
    assert contains_hetu(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "puh. 040 123 4567",
        "17.11.2026",
        "010594",
        "FI-00100",
        "1010594Y90320",
        "991394A9032",  # the shape, but no date
        "010594Y9033",  # the shape, but not its check character
        "9f010594-a903-2b1c-8d3e-0a1b2c3d4e5f",
        "010594a9-0320-4b1c-8d3e-0a1b2c3d4e5f",
    ],
)
def test_text_without_a_code_is_left_alone(text: str) -> None:
    assert not contains_hetu(text)


@given(st.text(max_size=30), BIRTHS, TEST_NUMBERS)
def test_a_code_is_found_after_any_words(words: str, born: date, individual: int) -> None:
    assert contains_hetu(f"{words} {make_hetu(born, individual).value}.")
