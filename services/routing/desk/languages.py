"""Finnish, Swedish and English: catalogues (gettext) and how times and days are written."""

import gettext
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.clock import HELSINKI
from shared.events import Language

LANGUAGES: Mapping[Language, str] = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
LOCALE = Path(__file__).parent / "locale"

_REGION: Mapping[Language, str] = {"fi": "fi_FI", "sv": "sv_FI", "en": "en_GB"}
_DAY: Mapping[Language, str] = {"fi": "d.M.y", "sv": "d.M.y", "en": "d MMM y"}
_TIME: Mapping[Language, str] = {"fi": "H.mm", "sv": "H.mm", "en": "HH:mm"}
_BOTH: Mapping[Language, str] = {
    "fi": "d.M.y 'klo' H.mm",
    "sv": "d.M.y 'kl.' H.mm",
    "en": "d MMM y, HH:mm",
}


def N_(message: str) -> str:  # noqa: N802 -- gettext's own name for "translate later"
    """Mark a text for translation where it is looked up by its code later."""
    return message


class Words:
    """One language: texts by their English form, and times of Finland."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._catalogue = _catalogue(language)

    def text(self, message: str) -> str:
        """The translation of an English text."""
        return self._catalogue.gettext(message)

    def count(self, singular: str, plural: str, number: int) -> str:
        """The translation that suits the number, with the number in it."""
        return self._catalogue.ngettext(singular, plural, number) % {"num": number}

    def of(self, labels: Mapping[str, str], code: str | None) -> str:
        """A code in words; one that is not known is shown as it is, never left out."""
        if code is None:
            return ""
        return self.text(labels[code]) if code in labels else code

    def language_of(self, code: str | None) -> str:
        """A language by its code, such as ``fi``; what is no code that is known stays as it is."""
        if not code:
            return ""
        return str(Locale(self.language).languages.get(code.lower(), code))

    def day(self, day: date) -> str:
        return format_date(day, _DAY[self.language], _REGION[self.language])

    def time(self, moment: datetime) -> str:
        """The time of day in Finland."""
        return format_time(moment, _TIME[self.language], HELSINKI, _REGION[self.language])

    def moment(self, moment: datetime) -> str:
        """Day and time in Finland."""
        return format_datetime(moment, _BOTH[self.language], HELSINKI, _REGION[self.language])


@lru_cache
def words(language: Language) -> Words:
    """The words of a language, read once."""
    return Words(language)


def choose(asked: str | None, remembered: str | None, accepted: str | None) -> Language:
    """The language of a page: what the person asks for, else chose before, else the browser's."""
    for choice in (asked, remembered, *_by_quality(accepted or "")):
        for language in LANGUAGES:
            if choice == language:
                return language
    return "fi"


def _by_quality(accepted: str) -> list[str]:
    """The two-letter languages of an Accept-Language header, the most wanted first."""
    wanted: list[tuple[float, str]] = []
    for part in accepted[:200].split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((float(quality or 1), name[:2].lower()))
        except ValueError:
            continue
    return [name for _, name in sorted(wanted, key=lambda pair: -pair[0])]


def _catalogue(language: Language) -> gettext.GNUTranslations:
    compiled = BytesIO()
    with (LOCALE / language / "LC_MESSAGES" / "desk.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
