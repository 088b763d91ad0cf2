"""What columns and values are called: the one place, in three languages.

Messages that speak of a child, the pages of the rules and whatever explains a decision use these.
"""

from collections.abc import Mapping
from typing import Protocol

from services.routing.domain.texts import Texts
from shared.events import Language

_Words = tuple[str, str, str]  # in Finnish, Swedish and English

_COLUMNS: Mapping[str, _Words] = {
    "a1": ("huoli terveydestä", "oro för hälsan", "concern about health"),
    "a2": ("huoli mielenterveydestä", "oro för psykiska hälsan", "concern about mental health"),
    "a3": (
        "neuropsykiatriset haasteet",
        "neuropsykiatriska svårigheter",
        "neuropsychiatric difficulties",
    ),
    "a4": (
        "huoli päihteistä tai riippuvuuksista",
        "oro för rusmedel eller beroende",
        "concern about substances or addictions",
    ),
    "a5": (
        "huoli arjesta tai koulunkäynnistä",
        "oro för vardagen eller skolgången",
        "concern about daily life or school",
    ),
    "a6": ("huoli turvallisuudesta", "oro för tryggheten", "concern about safety"),
    "a7": ("ongelmien kasautuminen", "problem som hopar sig", "problems piling up"),
    "a8": ("huoli vanhemmuudesta", "oro för föräldraskapet", "concern about parenting"),
    "a9": (
        "huoli asianosaisten yhteistyöstä",
        "oro för samarbetet mellan parterna",
        "concern about cooperation",
    ),
    "a10": (
        "huoli palvelujen toiminnasta",
        "oro för hur servicen fungerar",
        "concern about how services work",
    ),
    "support_tried": (
        "tukea kokeiltu ilman riittävää vaikutusta",
        "stöd prövat utan tillräcklig verkan",
        "support tried without enough effect",
    ),
    "referral_returned": (
        "lähete palautettu tai torjuttu",
        "remiss returnerad eller avvisad",
        "referral returned or refused",
    ),
    "areas_of_concern": ("huolen alueita", "områden med oro", "areas of concern"),
    "areas_besides_a10": (
        "muita huolen alueita kuin palvelut",
        "andra områden med oro än servicen",
        "areas of concern besides services",
    ),
    "signals_12_months": (
        "viestejä lapsesta ja sisaruksista 12 kuukaudessa",
        "meddelanden om barnet och syskonen på 12 månader",
        "messages about the child and its siblings in 12 months",
    ),
    "sources_12_months": (
        "eri lähteitä, joista ne tulivat",
        "olika källor som de kom från",
        "independent sources that they came from",
    ),
    "sources_3_months": (
        "eri lähteitä 3 kuukaudessa",
        "olika källor på 3 månader",
        "independent sources in 3 months",
    ),
    "several_areas": (
        "huolta usealla alueella",
        "oro på flera områden",
        "several areas of concern",
    ),
    "many_areas_besides_a10": (
        "huolta monella muulla alueella kuin palveluissa",
        "oro på många andra områden än servicen",
        "many areas of concern besides services",
    ),
    "radar": (
        "viestejä tulee toistuvasti eri lähteistä",
        "meddelanden kommer upprepat från olika källor",
        "messages keep coming from independent sources",
    ),
    "areas_unknown": ("alueita, joista ei tiedetä", "områden som inte är kända", "areas not known"),
    "unknown_besides_a10": (
        "muita alueita kuin palvelut, joista ei tiedetä",
        "andra områden än servicen som inte är kända",
        "areas besides services not known",
    ),
    "in_danger": ("lapsi vaarassa", "barnet i fara", "child in danger"),
    "assault_suspected": (
        "epäily väkivallasta tai hyväksikäytöstä",
        "misstanke om våld eller övergrepp",
        "assault or abuse suspected",
    ),
    "alone_guardians_unreachable": (
        "lapsi yksin, huoltajia ei tavoiteta",
        "barnet ensamt, vårdnadshavarna nås inte",
        "child alone, guardians not reached",
    ),
    "judged_urgent_by_authority": (
        "toinen viranomainen arvioinut kiireelliseksi",
        "en annan myndighet har bedömt som brådskande",
        "judged urgent by another authority",
    ),
    "self_harm": ("itsetuhoisuus", "självdestruktivitet", "self-harm"),
    "own_substance_use": (
        "oma päihteiden käyttö",
        "eget bruk av rusmedel",
        "own substance use",
    ),
    "psych": (
        "psyykkinen huoli tai oma päihteiden käyttö",
        "psykisk oro eller eget bruk av rusmedel",
        "mental health or own substance use",
    ),
    "safety": ("turvallisuushuoli", "oro för säkerheten", "safety concern"),
    "addiction": ("oma riippuvuus", "eget beroende", "own addiction"),
    "custody_dispute": ("huoltoriita", "vårdnadstvist", "custody dispute"),
    "rare_domain": (
        "harvinaista osaamista vaativa asia",
        "ärende som kräver sällsynt kunskap",
        "matter that needs rare expertise",
    ),
    "psychiatry_asks": (
        "psykiatria pyytää konsultaatiota",
        "psykiatrin ber om konsultation",
        "psychiatry asks for a consultation",
    ),
    "absence_confirmed": (
        "koulu vahvistanut poissaolot",
        "skolan har bekräftat frånvaron",
        "absence confirmed by the school",
    ),
    "absence_health": (
        "poissaolot terveyssyistä",
        "frånvaro av hälsoskäl",
        "absence for reasons of health",
    ),
    "absence_step_reached": (
        "poissaolojen porras täyttynyt",
        "frånvarons trappsteg nått",
        "step of absence reached",
    ),
    "has_worker": (
        "oma vastuutyöntekijä",
        "egen ansvarig socialarbetare",
        "responsible worker of its own",
    ),
    "consent": (
        "perhe suostuu yhteiseen suunnitteluun",
        "familjen samtycker till gemensam planering",
        "family agrees to planning together",
    ),
    "moved_between_placements": (
        "siirtynyt usein sijoituspaikasta toiseen",
        "flyttat ofta mellan placeringar",
        "moved often between placements",
    ),
    "expert_group_full": (
        "asiantuntijaryhmä täynnä",
        "expertgruppen full",
        "expert group full",
    ),
    "psychiatry_full": (
        "psykiatrian ajat täynnä",
        "psykiatrins tider fulla",
        "psychiatry's seats full",
    ),
    "existing_client": ("jo asiakas", "redan klient", "already a client"),
    "placed": ("sijoitettu", "placerad", "placed"),
    "placed_urgently": ("sijoitettu kiireellisesti", "brådskande placerad", "placed urgently"),
    "placement_planned": (
        "sijoitusta suunnitellaan",
        "en placering planeras",
        "a placement is planned",
    ),
    "age_band": ("ikä", "ålder", "age"),
    "psychiatry_clinic": (
        "psykiatrian poliklinikka iän mukaan",
        "psykiatrisk klinik enligt ålder",
        "psychiatric clinic by age",
    ),
    "urgency": ("kiireellisyys", "brådska", "urgency"),
    "level": ("taso", "nivå", "level"),
    "flagged": ("kiireellisyyden merkki", "tecken på brådska", "sign of urgency"),
}

_VALUES: Mapping[str, _Words] = {
    "yes": ("kyllä", "ja", "yes"),
    "no": ("ei", "nej", "no"),
    "unknown": ("ei tiedossa", "inte känt", "not known"),
    "open": ("ei vielä arvioitu", "ännu inte bedömd", "not judged yet"),
    "urgent": ("kiireellinen", "brådskande", "urgent"),
    "not_urgent": ("ei kiireellinen", "inte brådskande", "not urgent"),
    "not_asked": ("ei kysytty", "inte frågad", "not asked"),
    "unborn": ("syntymätön", "ofödd", "unborn"),
    "adult": ("täysi-ikäinen", "myndig", "adult"),
    "child": ("lastenpsykiatria", "barnpsykiatrin", "child psychiatry"),
    "adolescent": ("nuorisopsykiatria", "ungdomspsykiatrin", "adolescent psychiatry"),
    "near_limit": ("lähellä ikärajaa", "nära åldersgränsen", "near the age limit"),
    "0-6": ("0–6 vuotta", "0–6 år", "0–6 years"),
    "7-12": ("7–12 vuotta", "7–12 år", "7–12 years"),
    "13-15": ("13–15 vuotta", "13–15 år", "13–15 years"),
    "16-17": ("16–17 vuotta", "16–17 år", "16–17 years"),
    "perus": ("perustaso", "basnivå", "basic level"),
    "erityis": ("erityistaso", "specialnivå", "special level"),
    "vaativa": ("vaativa taso", "krävande nivå", "demanding level"),
}


def _texts(words: Mapping[str, _Words]) -> dict[str, Texts]:
    return {name: Texts(fi=fi, sv=sv, en=en) for name, (fi, sv, en) in words.items()}


COLUMN_WORDS, VALUE_WORDS = _texts(_COLUMNS), _texts(_VALUES)


def said_of(column: str, value: str | int, language: Language) -> str:
    """A fact in words, its column's name beside it; a column without words is named alone."""
    name = column_name(column, language)
    name += f" ({column})" if name != column else ""
    return f"{name}: {value_name(value, language)}"


def column_name(column: str, language: Language) -> str:
    """What a column is called; one without words is named as it is."""
    words = COLUMN_WORDS.get(column)
    return words.in_language(language) if words else column


def value_name(value: str | int, language: Language) -> str:
    """What a value is called; a number, or a value without words, stands as it is."""
    words = VALUE_WORDS.get(str(value))
    return words.in_language(language) if words else str(value)


class Limits(Protocol):
    """A condition on a number: from `at_least` to `at_most`, where given."""

    @property
    def at_least(self) -> int | None: ...
    @property
    def at_most(self) -> int | None: ...


def condition_in_words(column: str, condition: tuple[str, ...] | Limits, language: Language) -> str:
    """A condition of a row: "urgency: not urgent or not asked", "areas of concern: at least 2"."""
    if isinstance(condition, tuple):
        allowed = _one_of([value_name(value, language) for value in condition], language)
    else:
        allowed = _within(condition.at_least, condition.at_most, language)
    return f"{column_name(column, language)}: {allowed}"


def _one_of(values: list[str], language: Language) -> str:
    *others, last = values or [""]
    return f"{', '.join(others)} {_OR[language]} {last}" if others else last


def _within(low: int | None, high: int | None, language: Language) -> str:
    if low is None or high is None:
        kind = _AT_LEAST if high is None else _AT_MOST
        return f"{kind[language]} {high if low is None else low}" if high != 0 else "0"
    return str(low) if low == high else f"{low}–{high}"


_OR: Mapping[Language, str] = {"fi": "tai", "sv": "eller", "en": "or"}
_AT_LEAST: Mapping[Language, str] = {"fi": "vähintään", "sv": "minst", "en": "at least"}
_AT_MOST: Mapping[Language, str] = {"fi": "enintään", "sv": "högst", "en": "at most"}
