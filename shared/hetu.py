"""The Finnish personal identity code (henkilötunnus), with the separators in use since 2023.

Sources: law.md HET-01…HET-06 (DVV's reform of the code). The code is eleven characters:
``ddmmyy``, a separator that names the century, a three-digit individual number and a check
character. The separator is part of the identity: 100190-999P and 100190Y999P are two persons.
"""

import re
from dataclasses import dataclass
from datetime import date

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}

# [0-9], not \d: digits of other scripts would make two identities of one code.
_SHAPE = re.compile(r"([0-9]{6})([-+A-FU-Y])([0-9]{3})([0-9A-FHJ-NPR-Y])")
_LOOKALIKE = re.compile(
    r"(?<![0-9])[0-9]{6}[-+A-FU-Y\u2010-\u2015\u2212][0-9]{3}[0-9A-FHJ-NPR-Y](?![0-9])"
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
FIRST_TEST_NUMBER = 900


class InvalidHetuError(ValueError):
    """The text is no personal identity code; the message says why and never repeats the text."""


@dataclass(frozen=True, slots=True)
class Hetu:
    """One checked personal identity code, upper case, eleven characters."""

    value: str
    born: date

    @property
    def is_temporary(self) -> bool:
        """True for 900-999: temporary or test, identifies nobody outside the system it is from."""
        return int(self.value[7:10]) >= FIRST_TEST_NUMBER

    def __repr__(self) -> str:
        return "Hetu(***)"

    __str__ = __repr__


def parse_hetu(text: str) -> Hetu:
    """Check the whole code and return it; raises `InvalidHetuError` with the reason."""
    value = text.strip().upper()
    match = _SHAPE.fullmatch(value)
    if match is None:
        raise InvalidHetuError("not the shape ddmmyy, separator, three digits, check character")
    digits, _, individual, check = match.groups()
    if int(individual) < 2:
        raise InvalidHetuError("the individual number is below 002")
    if CHECK_CHARACTERS[int(digits + individual) % 31] != check:
        raise InvalidHetuError("the check character does not match")
    try:
        born = birth_date(value)
    except ValueError:
        raise InvalidHetuError("the day, month and year are no date") from None
    return Hetu(value, born)


def birth_date(value: str) -> date:
    """The date of birth in a code that was checked before; raises ValueError if it is no date."""
    return date(CENTURIES[value[6]] + int(value[4:6]), int(value[2:4]), int(value[:2]))


def make_hetu(born: date, individual: int, separator: str | None = None) -> Hetu:
    """Build a valid code; used by generators of test persons (900-999 only)."""
    mark = separator or ("A" if born.year >= 2000 else "-")
    digits = f"{born:%d%m%y}{individual:03d}"
    check = CHECK_CHARACTERS[int(digits) % 31]
    return parse_hetu(f"{digits[:6]}{mark}{digits[6:]}{check}")


def contains_hetu(text: str) -> bool:
    """True if a code stands anywhere in the text, in any case and with any kind of dash.

    Only codes whose date and check character are right count: hexadecimal ids are full of the
    shape alone. A UUID is taken for one.
    """
    if _UUID.fullmatch(text):
        return False
    for match in _LOOKALIKE.finditer(text.upper()):
        try:
            parse_hetu(_DASHES.sub("-", match[0]))
        except InvalidHetuError:
            continue
        return True
    return False
