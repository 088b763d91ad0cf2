"""What share of a year's notifications a version of the rules calls urgent or sends on, and why so.

Bands of a sane version are own construction (domain.md 4). Where a version lies outside of one on
the sample county's year, its owner says why in writing, in a file that is kept beside the tables.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.files import content_of, faults_of_form
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
    """A share of one version: what it was when its owner last looked, and why it is outside."""

    band: Band
    measured: Figure
    reason: Texts | None = None


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
    """The file in `shares/` that is about these tables; of several the last by its name.

    Raises `TablesRefusedError` with every fault of form, whichever tables a file is about.
    """
    found = None
    faults: list[Fault] = []
    for path in sorted((directory / "shares").glob("*.yaml")):
        file = f"shares/{path.name}"
        try:
            shares = _read(path, file)
        except TablesRefusedError as error:
            faults += error.faults
        else:
            found = Found(file, shares) if shares.tables == tables else found
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


def proposal(tables: str, seats: int, measured: Mapping[ShareName, float]) -> str:
    """YAML that an owner completes, where a version has no file yet."""
    lines = [
        f"tables: {tables}", 'owner: ""', 'note: { fi: "", sv: "", en: "" }',
        f"seats: {seats}", "shares:",
    ]  # fmt: skip
    for name in NAMES:
        band = BANDS[name]
        low = f"at_least: {band.at_least:g}, " if band.at_least else ""
        lines += [
            f"  {name}:", f"    band: {{ {low}at_most: {band.at_most:g} }}",
            f"    measured: {said(measured[name])}",
        ]  # fmt: skip
        if not band.holds(measured[name]):
            lines.append('    reason: { fi: "", sv: "", en: "" }')
    return "\n".join(lines)


def described(found: Found, measured: Mapping[ShareName, float], language: Language) -> list[str]:
    """Each share in a line, with the reason where it lies outside its band."""
    return [
        _line(name, share, measured[name], language)
        for name, share in ((name, found.shares.shares[name]) for name in NAMES)
    ]


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
        fi="mikään tiedosto ei kerro tämän version osuuksia. Tallenna ehdotus sinne täydennettynä",
        sv="ingen fil anger den här versionens andelar. Spara förslaget där, ifyllt",
        en="no file tells the shares of this version. Save the proposal there, completed",
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


def refused(faults: Iterable[SharesFault], language: Language) -> str:
    """All faults in words."""
    return "\n".join(fault.in_language(language) for fault in faults)
