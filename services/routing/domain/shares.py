"""What share of a year's notifications a version of the rules calls urgent or sends on, and why so.

Bands of a sane version are own construction (domain.md 4). Where a version lies outside of one on
the sample county's year, its owner says why in writing, in a file that is kept beside the tables.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.files import content_of, faults_of_form
from services.routing.domain.tables.written import in_order
from services.routing.domain.texts import Texts, Words
from shared.events import Language

ShareName = Literal["urgent", "expert_group", "psychiatry"]
Figure = Annotated[float, Field(ge=0, le=1_000_000)]
NAMES: tuple[ShareName, ...] = get_args(ShareName)
SAME = 0.1  # a share that lies further from what was written, as a part of it, is another one


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Band(_Written):
    """From `at_least` to `at_most`, both included."""

    at_least: Figure = 0.0
    at_most: Figure

    def holds(self, share: float) -> bool:
        return self.at_least <= share <= self.at_most


class Share(_Written):
    """A share of one version: what it was when its owner last looked, and why it is outside.

    A reason of which nothing is written yet, as `proposal` leaves it, is none.
    """

    band: Band
    measured: Figure
    reason: Texts | None = None

    @field_validator("reason", mode="before")
    @classmethod
    def _is_written(cls, given: Any) -> Any:
        blank = isinstance(given, dict) and given and not any(given.values())
        return None if blank else given


class Shares(_Written):
    """The shares of one version; `tables` names it as stored decisions do.

    `urgent`: of a hundred notifications, how many arrive with a sign of urgency. `expert_group`:
    for how many children of a hundred notifications it is proposed. `psychiatry`: for how many
    children a co-consultation is proposed, for each of its `seats` in the year.
    """

    tables: str
    owner: Words
    note: Texts
    seats: Annotated[int, Field(ge=1)]
    shares: dict[ShareName, Share]


class SharesFault(NamedTuple):
    """Why a version must not go live for its shares: the file, the share, and what mends it."""

    kind: str
    file: str
    share: str = ""
    names: Mapping[str, str] = {}

    def in_language(self, language: Language) -> str:
        where = f"{self.file}, {self.share}" if self.share else self.file
        return f"{where}: {_SENTENCES[self.kind].in_language(language).format(**self.names)}"


class Found(NamedTuple):
    """The shares of a version, and the file that has them."""

    file: str
    shares: Shares


def load_shares(directory: Path, tables: str) -> Found | None:
    """The file in `shares/` that is about these tables; of several the newest.

    Raises `TablesRefusedError` with every fault of form, whichever tables a file is about.
    """
    return next((each for each in read_shares(directory) if each.shares.tables == tables), None)


def read_shares(directory: Path) -> list[Found]:
    """Every file in `shares/`, the newest first. Raises `TablesRefusedError`."""
    found: list[Found] = []
    faults: list[Fault] = []
    for path in sorted((directory / "shares").glob("*.yaml"), key=in_order, reverse=True):
        file = f"shares/{path.name}"
        try:
            found.append(Found(file, _read(path, file)))
        except TablesRefusedError as error:
            faults += error.faults
    if faults:
        raise TablesRefusedError(faults)
    return found


def _read(path: Path, file: str) -> Shares:
    content = content_of(path, file)
    try:
        shares = Shares.model_validate(content)
    except ValidationError as error:
        raise TablesRefusedError(faults_of_form(error, content, file)) from None
    missing = [name for name in NAMES if name not in shares.shares]
    if missing:
        places = [{"place": f"shares.{name}"} for name in missing]
        raise TablesRefusedError(Fault("form-missing", file, names=place) for place in places)
    return shares


def faults_of(found: Found, measured: Mapping[ShareName, float]) -> Iterator[SharesFault]:
    """What keeps a version from going live, given what was measured just now."""
    for name in NAMES:
        share, now = found.shares.shares[name], measured[name]
        low, high = share.band.at_least, share.band.at_most
        names = {
            "now": said(now), "then": said(share.measured), "low": f"{low:g}", "high": f"{high:g}",
        }  # fmt: skip
        if not share.band.holds(now) and share.reason is None:
            yield SharesFault("outside", found.file, name, names)
        elif share.band.holds(now) and share.reason is not None:
            yield SharesFault("unneeded", found.file, name, names)
        if abs(now - share.measured) > SAME * max(share.measured, now):
            yield SharesFault("other", found.file, name, names)


def said(share: float) -> str:
    """A share as it is written in the file."""
    return f"{share:.2f}"


def proposal(
    tables: str, owner: str, seats: int, measured: Mapping[ShareName, float], before: Found | None
) -> str:
    """YAML for a version that has no file yet; where a share is outside, its owner writes why.

    `before`: the shares of the version before, with what was the reason then, to read again.
    """
    lines = [
        *_ABOUT, f"tables: {tables}", f"owner: {_quoted(owner)}", "note:", *_texts(_NOTE, "  "),
        f"seats: {seats}", "shares:",
    ]  # fmt: skip
    for name in NAMES:
        band = BANDS[name]
        low = f"at_least: {band.at_least:g}, " if band.at_least else ""
        lines += [
            f"  {name}: # {WHAT[name].en}", f"    band: {{ {low}at_most: {band.at_most:g} }}",
            f"    measured: {said(measured[name])}",
        ]  # fmt: skip
        if not band.holds(measured[name]):
            lines += [*_reason_before(name, before), "    reason:"]
            lines += [f'      {language}: ""' for language in get_args(Language)]
    return "\n".join(lines) + "\n"


def _reason_before(name: ShareName, before: Found | None) -> Iterator[str]:
    share = before.shares.shares[name] if before else None
    if before and share and share.reason:
        yield f"    # {before.file} said of {said(share.measured)}:"
        yield from _texts(share.reason, "    #   ")


def _texts(texts: Texts, before: str) -> list[str]:
    return [f"{before}{each}: {_quoted(texts.in_language(each))}" for each in get_args(Language)]


def _quoted(text: str) -> str:
    """In quotation marks, as YAML reads it."""
    return json.dumps(text, ensure_ascii=False)


_ABOUT = (
    "# What these tables make of the invented sample county's year (own construction), as",
    "# `./luotsi rules check` measured it. Where a share lies outside of its band, the owner",
    "# writes why that is right, in three languages, between the quotation marks under reason.",
    "# Until then nothing goes live.",
)
_NOTE = Texts(
    fi="Omaa rakennetta, mitattu esimerkkialueen keksitystä vuodesta.",
    sv="Egen konstruktion, mätt på exempelområdets påhittade år.",
    en="Own construction, measured on the sample county's invented year.",
)


def described(
    shares: Mapping[ShareName, Share], measured: Mapping[ShareName, float], language: Language
) -> list[str]:
    """Each share in a line, with the reason where it lies outside its band."""
    return [_line(name, shares[name], measured[name], language) for name in NAMES]


def unwritten(measured: Mapping[ShareName, float]) -> Mapping[ShareName, Share]:
    """Shares as they are where nobody has written of them yet."""
    return {name: Share(band=BANDS[name], measured=measured[name]) for name in NAMES}


def _line(name: ShareName, share: Share, now: float, language: Language) -> str:
    what = WHAT[name].in_language(language)
    band = f"{share.band.at_least:g}–{share.band.at_most:g}"
    line = f"{what}: {said(now)} ({_BAND.in_language(language)} {band})"
    line = line if language == "en" else line.replace(".", ",")
    return f"{line}. {share.reason.in_language(language)}" if share.reason else line


BANDS: Mapping[ShareName, Band] = {
    "urgent": Band(at_least=3, at_most=8),
    "expert_group": Band(at_most=0.2),
    "psychiatry": Band(at_most=2),
}
"""The bands of domain.md 4, which a proposed file begins with."""

WHAT: Mapping[ShareName, Texts] = {
    "urgent": Texts(
        fi="Kiireellisyyden merkki, sadasta ilmoituksesta",
        sv="Tecken på brådska, av hundra anmälningar",
        en="Sign of urgency, of a hundred notifications",
    ),
    "expert_group": Texts(
        fi="Asiantuntijaryhmää ehdotetaan, lapsia sataa ilmoitusta kohti",
        sv="Expertgruppen föreslås, barn per hundra anmälningar",
        en="Expert group proposed, children for a hundred notifications",
    ),
    "psychiatry": Texts(
        fi="Psykiatrian yhteiskonsultaatiota ehdotetaan, lapsia aikaa kohti",
        sv="Gemensam konsultation med psykiatrin föreslås, barn per tid",
        en="Co-consultation with psychiatry proposed, children for a seat",
    ),
}
_BAND = Texts(fi="raja", sv="gräns", en="band")
_SENTENCES: Mapping[str, Texts] = {
    "none": Texts(
        fi="tätä tiedostoa ei vielä ole; --write-shares kirjoittaa sen, ja siihen mitä mitattiin",
        sv="filen finns inte än; --write-shares skriver den, med det som mättes",
        en="there is no such file yet; --write-shares writes it, with what was measured",
    ),
    "outside": Texts(
        fi="osuus {now} on rajojen {low}–{high} ulkopuolella eikä omistaja ole kirjoittanut syytä. "
        "Muuta sääntöjä tai kirjoita reason kolmella kielellä",
        sv="andelen {now} ligger utanför {low}–{high} och ägaren har inte skrivit varför. Ändra "
        "reglerna eller skriv reason på tre språk",
        en="the share {now} lies outside of {low}–{high}, and the owner has not written why. "
        "Change the rules, or write reason in three languages",
    ),
    "unneeded": Texts(
        fi="osuus {now} on rajojen {low}–{high} sisällä; poista reason",
        sv="andelen {now} ligger inom {low}–{high}; ta bort reason",
        en="the share {now} lies within {low}–{high}; remove reason",
    ),
    "other": Texts(
        fi="osuus on nyt {now}, tiedostossa {then}. Katso uudelleen, pitääkö syy paikkansa, ja "
        "kirjoita measured: {now}",
        sv="andelen är nu {now}, i filen {then}. Se om skälet fortfarande stämmer och skriv "
        "measured: {now}",
        en="the share is {now} now and {then} in the file. See whether the reason still holds, and "
        "write measured: {now}",
    ),
}
