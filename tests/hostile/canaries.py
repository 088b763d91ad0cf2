"""Words that stand for personal data, and finding them again in whatever dress they wear."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

HETU = "030215A902H"
OTHER_HETU = "041216A903H"
GIVEN_HETU = "050517A904T"


STEMS = ("kanarialintu", "pääskyöÄyräsÅ")


class Canary(NamedTuple):
    """One word planted in one field; all of one stem are looked for only where that is seen."""

    field: str
    word: str
    stem: str


class Flock:
    """Makes canaries: a plain word and one with å, ä and ö for each field, all different."""

    def __init__(self) -> None:
        self.canaries: list[Canary] = []

    def plant(self, field: str) -> str:
        """Two new words, side by side, for `field`."""
        return " ".join(self._word(field, stem) for stem in STEMS)

    def plant_plain(self, field: str) -> str:
        """One new word without å, ä and ö."""
        return self._word(field, STEMS[0])

    def plant_as(self, field: str, word: str) -> str:
        """A word of the caller's own."""
        self.canaries.append(Canary(field, word, word))
        return word

    def seen_in(self, content: bytes) -> set[str]:
        """The fields whose canary stands in `content`, in any dress."""
        near = {stem for stem in {c.stem for c in self.canaries} if wears(content, stem)}
        return {c.field for c in self.canaries if c.stem in near and wears(content, c.word)}

    def _word(self, field: str, stem: str) -> str:
        word = f"{stem}{len(self.canaries):03d}"
        self.canaries.append(Canary(field, word, stem))
        return word


def wears(content: bytes, word: str) -> bool:
    """Whether the word stands in the content, in any dress."""
    return any(needle in content for needle in dresses(word))


def dresses(word: str) -> Iterator[bytes]:
    """The bytes by which a word could be told."""
    for spelt in (word, word.lower(), word.upper()):
        plain = spelt.encode()
        yield plain
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield json.dumps(spelt)[1:-1].encode()
        yield json.dumps(spelt)[1:-1].upper().replace("\\U", "\\u").encode()
        yield quote(spelt).encode()
        yield quote(spelt).lower().encode()
        yield spelt.encode("latin-1")
        yield plain.decode("latin-1").encode()  # read as Latin-1 and written again
        yield spelt.encode("utf-16-le")
        yield repr(plain)[2:-1].encode()
        yield from in_base64((plain, spelt.encode("latin-1")))


def in_base64(plains: Iterable[bytes]) -> Iterator[bytes]:
    """A word's middle as base64 shows it, wherever in a text it begins."""
    for plain in plains:
        for shift in range(3):
            begin = (3 - shift) % 3
            whole = plain[begin : begin + (len(plain) - begin) // 3 * 3]
            yield base64.b64encode(whole)
            yield base64.urlsafe_b64encode(whole)
