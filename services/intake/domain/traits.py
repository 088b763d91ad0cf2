"""What is remembered of a child so that a person can be asked whether two may be one. Pure.

Luotsi's own construction, not a published method. A trait is a part of a name *together with* a
date of birth, a home or both; it leaves here as text and is kept as a keyed hash alone, so the
table says nothing to whoever reads it: no list of names or of birthdays can be tried against a
hash of one of them. Home is a guardian's whole name, or an address; never a word of either.
"""

import re
from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from itertools import combinations
from typing import NamedTuple
from unicodedata import normalize

from shared.clients import ClientState
from shared.events import NotifiedChild
from shared.hetu import birth_date


class TraitKind(IntEnum):
    """What a trait is made of; the number is what the table keeps."""

    NAMES_BORN = 1
    NAME_BORN_GUARDIAN = 2
    NAME_BORN_ADDRESS = 3
    NAMES_GUARDIAN = 4
    NAMES_ADDRESS = 5


WITH_BIRTH = (TraitKind.NAMES_BORN, TraitKind.NAME_BORN_GUARDIAN, TraitKind.NAME_BORN_ADDRESS)
WITH_ADDRESS = (TraitKind.NAME_BORN_ADDRESS, TraitKind.NAMES_ADDRESS)

MOST_PARTS, MOST_GUARDIANS = 5, 3  # so that nobody has more than 80 traits
PARTICLES = frozenset({"af", "von", "de", "van", "der", "den", "la", "al", "el", "bin"})
POSTCODE = 5  # digits
_DWELLING = frozenset({"as", "asunto", "lgh", "bst", "bostad"})

# A letter with marks that have no form of their own together (Skolt Sámi) is still one letter.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
_WORD_OR_NUMBER = re.compile(r"\d+|(?:[^\W\d_]|[\u0300-\u036f])+")


class Home(NamedTuple):
    """Evidence of a home: normalised names of guardians, and a normalised address or nothing."""

    guardians: tuple[str, ...] = ()
    address: str = ""


class Described(NamedTuple):
    """A child as somebody tells of it: parts of its name, when it was born, its home."""

    parts: tuple[str, ...]
    born: date | None
    home: Home


Trait = tuple[TraitKind, str]


def name_parts(name: str | None) -> tuple[str, ...]:
    """The parts of a name in one order, whatever order, case and punctuation it was told in.

    Letters stay what they are: å is not a. A single letter tells nobody apart, and a particle of
    a surname is no part of its own.
    """
    words = _WORD.findall(_folded(name or ""))
    return tuple(sorted({word for word in words if len(word) > 1 and word not in PARTICLES}))


def home_of(guardians: Sequence[str], address: str | None) -> Home:
    """The evidence in what was told.

    A guardian of one word ("mother") and a place without a number ("not known") are none.
    """
    names = (name_parts(name) for name in guardians)
    known = sorted({" ".join(parts) for parts in names if len(parts) > 1})
    return Home(tuple(known[:MOST_GUARDIANS]), _street(address or ""))


def _street(address: str) -> str:
    """Street, number and flat; sources differ in whether they give what follows."""
    words: list[str] = []
    for word in _WORD_OR_NUMBER.findall(_folded(address.partition(",")[0])):
        if len(word) == POSTCODE and word.isdigit():
            break
        if word not in _DWELLING:
            words.append(word)
    return " ".join(words) if len(words) > 1 and any(map(str.isdigit, words)) else ""


def _folded(text: str) -> str:
    if text.isascii():  # the same, and most addresses are
        return text.lower()
    return normalize("NFC", normalize("NFC", text).casefold())


def notified(child: NotifiedChild) -> Described:
    """A child as a notifier knows it."""
    born = birth_date(child.hetu) if child.hetu else child.birth_date
    return Described(name_parts(child.name), born, notified_home(child))


def notified_home(child: NotifiedChild) -> Home:
    """The home of a child as a notifier knows it."""
    return home_of([guardian.name for guardian in child.guardians], child.address)


def of_client(state: ClientState, protected: str) -> Described:
    """A client as the client information system knows it.

    An address only where nobody's turvakielto is left unknown: `protected` is "no". A parent
    without custody is no guardian.
    """
    person = state.person
    born = birth_date(person.hetu) if person.hetu else person.birth_date
    guardians = [g.name for g in state.guardians or () if g.custody != "none"]
    address = person.address if protected == "no" else None
    return Described(name_parts(person.name), born, home_of(guardians, address))


def traits_of(child: Described) -> list[Trait]:
    """Every trait of a child, in the clear: to be hashed at once and never kept so."""
    parts = child.parts[:MOST_PARTS]
    pairs = ["\0".join(pair) for pair in combinations(parts, 2)]
    homes = [(TraitKind.NAME_BORN_GUARDIAN, TraitKind.NAMES_GUARDIAN, g) for g in child.home[0]]
    if child.home.address:
        address = child.home.address
        homes.append((TraitKind.NAME_BORN_ADDRESS, TraitKind.NAMES_ADDRESS, address))
    traits = [(names, f"{pair}\0{home}") for _, names, home in homes for pair in pairs]
    if child.born is not None:
        born = child.born.isoformat()
        traits += [(TraitKind.NAMES_BORN, f"{pair}\0{born}") for pair in pairs]
        traits += [(kind, f"{part}\0{born}\0{home}") for kind, _, home in homes for part in parts]
    return traits
