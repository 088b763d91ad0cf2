"""What was found, in words for those who own the rules, and every case in a file for reading."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.rescreening.replaying import Replayed, Unlike
from services.routing.desk.languages import Words, words
from services.routing.desk.words import DESTINATIONS, HOLDERS
from services.routing.domain.comparing import Compared
from services.routing.domain.effect import Cell, Effect, Group, Queue, Reading, Tally, Undecided
from services.routing.domain.effect import Unread as UnreadVersion
from services.routing.domain.lighter import Fall
from services.routing.domain.tables.words import column_name, value_name
from services.routing.domain.texts import Texts
from shared.events import Language

MOST_MARKS = 60  # of one group on the screen
A_LINE = 6
MOST_UNLIKE = 100


class Report:
    """An effect in one language."""

    def __init__(self, effect: Effect, language: Language) -> None:
        self._effect = effect
        self._language = language
        self._words: Words = words(language)

    def lines(self) -> Iterator[str]:
        effect = self._effect
        yield from self._head()
        for title, cells in (
            ("level", effect.level), ("holder", effect.holder), ("flagged", effect.urgent),
        ):  # fmt: skip
            yield from ("", self._say(title), *self._matrix(cells))
        yield from ("", self._say("queues"), *self._queues())
        yield from self._lacking()
        yield from ("", self._say("to-read", cases=effect.lighter))
        for reading in effect.reading:
            yield from ("", *self._reading(reading))

    def _head(self) -> Iterator[str]:
        effect = self._effect
        for title, version in (("old", effect.old), ("new", effect.new)):
            name = self._say("stored") if version.name == "stored" else version.name
            yield f"{self._say(title)}: {name}  {version.content_hash[:12]}".rstrip()
        yield self._say(
            "cases", stored=effect.stored, compared=effect.compared, left_out=effect.left_out
        )
        if effect.without_decision:
            yield self._say("without", cases=effect.without_decision)

    def _matrix(self, cells: Sequence[Cell]) -> Iterator[str]:
        before = list(dict.fromkeys(cell.before for cell in cells))
        after = sorted({cell.after for cell in cells}, key=[c.after for c in cells].index)
        count = {(cell.before, cell.after): cell.cases for cell in cells}
        yield from _aligned(
            [
                [self._say("to"), *map(self._name, after)],
                *([self._name(b), *(f"{count.get((b, a), 0):,}" for a in after)] for b in before),
            ]
        )

    def _queues(self) -> Iterator[str]:
        columns = ("was", "is", "leave", "come", "week", "waiting", "seats")
        queues = (*self._effect.holders, *self._effect.destinations)
        yield from _aligned(
            [
                ["", *(self._say(column) for column in columns)],
                *([self._name(queue.name), *self._figures(queue)] for queue in queues),
            ]
        )
        yield f"  {self._say('estimated', weeks=round(self._effect.weeks))}"

    def _figures(self, queue: Queue) -> list[str]:
        week = _change(queue.more / self._effect.weeks)
        seats = "" if queue.seats is None else _change(queue.seats / self._effect.weeks)
        return [
            f"{queue.before:,}", f"{queue.after:,}", f"{queue.gone:,}", f"{queue.new:,}",
            week, "" if queue.waiting is None else f"{queue.waiting:,}", seats,
        ]  # fmt: skip

    def _lacking(self) -> Iterator[str]:
        for kind, columns in (
            ("derived", self._effect.derived), ("whatever", self._effect.whatever),
        ):  # fmt: skip
            for column, cases in columns.items():
                yield self._say(kind, column=self._column(column), cases=cases)

    def _reading(self, reading: Reading) -> Iterator[str]:
        unsure = reading.why == "unsure"
        lacking = [self._column(c) if unsure else c for c in reading.lacking]
        yield self._say(reading.why, cases=reading.cases, lacking=", ".join(lacking))
        if unsure and not reading.falls:
            yield "  " + self._say("untried" if reading.falls is None else "not-lighter")
        perhaps = f"{self._say('perhaps')} " if unsure else ""
        for fall in reading.falls or ():
            yield f"  - {perhaps}{self._fall(fall)}"
        for title, rows in (("rows-gone", reading.gone), ("rows-new", reading.new)):
            yield from [f"  {self._say(title)}: {', '.join(rows)}"] if rows else []
        yield from self._marks(reading)

    def _marks(self, reading: Reading) -> Iterator[str]:
        marks = [each.mark for each in reading.marks[:MOST_MARKS]]
        for start in range(0, len(marks), A_LINE):
            yield "  " + "  ".join(marks[start : start + A_LINE])
        if reading.cases > len(marks):
            yield "  " + self._say("more", cases=reading.cases - len(marks))

    def _fall(self, fall: Fall) -> str:
        if fall.table == "level":
            was, now = (value_name(level, self._language) for level in (fall.was, fall.now))
            return self._say("level-drops", was=was, now=now)
        if fall.table == "urgent":
            return self._say("flag-falls", flag=fall.was)
        return self._say("no-longer", destination=self._name(fall.was))

    def _name(self, code: str) -> str:
        labels = {**HOLDERS, **DESTINATIONS}
        if code in labels:
            return self._words.of(labels, code)
        return value_name(code, self._language)

    def _column(self, column: str) -> str:
        return f"{column_name(column, self._language)} ({column})"

    def _say(self, sentence: str, **values: object) -> str:
        told = {k: f"{v:,}" if isinstance(v, int) else v for k, v in values.items()}
        return _SENTENCES[sentence].in_language(self._language).format(**told)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Names to the left, figures to the right, each column as wide as it must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        figures = (c.rjust(width) for c, width in zip(cells, widths[1:], strict=True))
        yield "  ".join(["", name.ljust(widths[0]), *figures]).rstrip()


def _change(number: float) -> str:
    return f"{number:+.1f}" if number else "0"


# --- every case in a file -----------------------------------------------------------------------

COLUMNS = ("mark", "child", "why", "lighter", "before", "after", "rows_gone", "rows_new", "lacking")


def write_list(path: Path, tally: Tally) -> int:
    """Every case that is to be read, one a line; how many there are. Raises OSError."""
    written = 0
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for group in tally.for_reading():
            about = _about(group)
            for each in sorted(group.listed or ()):
                writer.writerow([each.mark, each.child, *about])
                written += 1
    return written


def _about(group: Group) -> list[str]:
    kind = group.kind
    if isinstance(kind, Compared):
        before, after = (f"{s.level} {s.holder} {' '.join(s.destinations)}".strip()
                         for s in (kind.before, kind.after))  # fmt: skip
        lighter = " ".join(_short(fall) for fall in kind.falls)
        return ["lighter", lighter, before, after, *map(" ".join, kind.rows), ""]
    if isinstance(kind, UnreadVersion):
        return ["unread", "?", "", "", "", "", kind.version]
    if isinstance(kind, Undecided):
        return ["undecided", "?", "", "", "", "", ""]
    perhaps = "?" if kind.perhaps is None else " ".join(_short(fall) for fall in kind.perhaps)
    return ["unsure", perhaps, "", "", "", "", " ".join(kind.lacking)]


def _short(fall: Fall) -> str:
    return f"{fall.table}:{fall.was}" + (f">{fall.now}" if fall.now else "")


# --- replay -----------------------------------------------------------------------------------


def replayed_lines(found: Replayed, language: Language) -> Iterator[str]:
    """What came out the same and what did not."""

    def say(sentence: str, **values: object) -> str:
        told = {k: f"{v:,}" if isinstance(v, int) else v for k, v in values.items()}
        return _SENTENCES[sentence].in_language(language).format(**told)

    yield say("alike", cases=found.alike)
    for version, cases in sorted(found.unread.items()):
        yield say("version-unread", version=version, cases=cases)
    if found.unlike:
        yield say("unlike", cases=len(found.unlike))
    for each in found.unlike[:MOST_UNLIKE]:
        yield f"  {_unlike(each)}"
    if len(found.unlike) > MOST_UNLIKE:
        yield "  " + say("more", cases=len(found.unlike) - MOST_UNLIKE)


def write_unlike(path: Path, found: Replayed) -> None:
    """Every decision that did not come out the same, one a line. Raises OSError."""
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("mark", "seq", "decided_at", "rules", "differs"))
        for each in found.unlike:
            at = each.decided_at.isoformat()
            writer.writerow([each.mark, each.seq, at, each.rules, " ".join(each.fields)])


def _unlike(each: Unlike) -> str:
    at = f"{each.decided_at:%Y-%m-%d %H:%M:%S}Z"
    return f"{each.mark} {each.seq}  {at}  {each.rules}: {', '.join(each.fields)}"


_SENTENCES = {
    "old": Texts(fi="Vanhat säännöt", sv="Gamla regler", en="Old rules"),
    "new": Texts(fi="Uudet säännöt", sv="Nya regler", en="New rules"),
    "stored": Texts(
        fi="ne, joilla kukin päätös tehtiin",
        sv="de som varje beslut fattades med",
        en="those that each decision was made with",
    ),
    "cases": Texts(
        fi="Tallennettuja asioita {stored}, vertailtu {compared}. Pois jätettiin {left_out}, jotka "
        "on yhdistetty toiseen tai joiden ilmoitukset koskivatkin toista lasta.",
        sv="Lagrade ärenden {stored}, jämförda {compared}. Utelämnade {left_out}, som är "
        "sammanslagna med ett annat eller vars anmälningar gällde ett annat barn.",
        en="Stored cases {stored}, compared {compared}. Left out: {left_out} that are joined to "
        "another or whose notifications were about another child.",
    ),
    "without": Texts(
        fi="{cases} asiasta ei löydy tallennettua päätöstä: niitä ei ole vertailtu.",
        sv="För {cases} ärenden hittas inget lagrat beslut: de har inte jämförts.",
        en="For {cases} cases no stored decision was found: they have not been compared.",
    ),
    "to": Texts(fi="vanha ↓ uusi →", sv="gammal ↓ ny →", en="old ↓ new →"),
    "queues": Texts(
        fi="Vaikutus jonoihin ja paikkoihin",
        sv="Verkan på köer och platser",
        en="Effect on queues and seats",
    ),
    "was": Texts(fi="ennen", sv="förr", en="before"),
    "is": Texts(fi="jälkeen", sv="efter", en="after"),
    "leave": Texts(fi="poistuu", sv="faller bort", en="leave"),
    "come": Texts(fi="tulee", sv="tillkommer", en="come"),
    "week": Texts(fi="viikossa", sv="per vecka", en="a week"),
    "waiting": Texts(fi="jonossa nyt", sv="i kön nu", en="waiting now"),
    "seats": Texts(fi="paikkoja viikossa", sv="platser per vecka", en="seats a week"),
    "estimated": Texts(
        fi="Arvio: asiat tulivat {weeks} viikon aikana; paikat sen mukaan, kuinka usein ehdotus "
        "on tähän asti hyväksytty.",
        sv="Uppskattning: ärendena kom under {weeks} veckor; platserna efter hur ofta förslaget "
        "hittills har godkänts.",
        en="Estimated: the cases came in {weeks} weeks; seats by how often the proposal has been "
        "accepted so far.",
    ),
    "derived": Texts(
        fi="Ei tallennettu, mutta varma (johdettu muista, tai kukaan ei voinut vielä sanoa sitä): "
        "{column}, {cases} asiaa.",
        sv="Inte lagrad, men säker (härledd från andra, eller ingen kunde säga det ännu): "
        "{column}, {cases} ärenden.",
        en="Not stored, but certain (derived from others, or nobody could say it yet): "
        "{column}, {cases} cases.",
    ),
    "whatever": Texts(
        fi="Ei tallennettu, mutta jokainen arvo antaa saman: {column}, {cases} asiaa.",
        sv="Inte lagrad, men varje värde ger detsamma: {column}, {cases} ärenden.",
        en="Not stored, but every value gives the same: {column}, {cases} cases.",
    ),
    "level": Texts(fi="Taso", sv="Nivå", en="Level"),
    "holder": Texts(fi="Kenellä asia on", sv="Vem som har ärendet", en="Who holds the case"),
    "flagged": Texts(
        fi="Kiireellisyyden merkki", sv="Tecken på brådska", en="Sign of urgency"
    ),
    "to-read": Texts(
        fi="Luettaviksi: {cases} asiaa keventyisi.",
        sv="Att läsa: {cases} ärenden skulle bli lättare.",
        en="To be read: {cases} cases would become lighter.",
    ),
    "perhaps": Texts(fi="ehkä:", sv="kanske:", en="perhaps:"),
    "lighter": Texts(
        fi="Asioita, jotka keventyisivät samalla tavalla: {cases}",
        sv="Ärenden som skulle bli lättare på samma sätt: {cases}",
        en="Cases that would become lighter in the same way: {cases}",
    ),
    "unsure": Texts(
        fi="Ei voi vertailla: {cases} asiaa. Tallennetuista tiedoista puuttuu: {lacking}",
        sv="Kan inte jämföras: {cases} ärenden. Bland de lagrade uppgifterna saknas: {lacking}",
        en="Cannot be compared: {cases} cases. Lacking in what was stored: {lacking}",
    ),
    "unread": Texts(
        fi="Ei voi vertailla: {cases} asiaa. Versiota ei voi lukea: {lacking}",
        sv="Kan inte jämföras: {cases} ärenden. Versionen kan inte läsas: {lacking}",
        en="Cannot be compared: {cases} cases. Their version cannot be read: {lacking}",
    ),
    "undecided": Texts(
        fi="Ei voi vertailla: {cases} asiaa. Tallennettuja tietoja ei voi lukea.",
        sv="Kan inte jämföras: {cases} ärenden. De lagrade uppgifterna kan inte läsas.",
        en="Cannot be compared: {cases} cases. Their stored facts cannot be read.",
    ),
    "untried": Texts(
        fi="Mahdollisuuksia on liikaa kokeiltaviksi: mikä tahansa voi keventyä.",
        sv="Möjligheterna är för många att pröva: vad som helst kan bli lättare.",
        en="There are too many possibilities to try: anything could become lighter.",
    ),
    "not-lighter": Texts(
        fi="Millään arvolla päätös ei kevene.",
        sv="Inget värde gör beslutet lättare.",
        en="No value makes the decision lighter.",
    ),
    "level-drops": Texts(
        fi="taso laskee: {was} → {now}", sv="nivån sjunker: {was} → {now}",
        en="the level drops: {was} → {now}",
    ),
    "flag-falls": Texts(
        fi="kiireellisyyden merkki jää pois: {flag}",
        sv="tecknet på brådska faller bort: {flag}",
        en="the sign of urgency falls away: {flag}",
    ),
    "no-longer": Texts(
        fi="ei enää ehdoteta: {destination}", sv="föreslås inte längre: {destination}",
        en="no longer proposed: {destination}",
    ),
    "rows-gone": Texts(
        fi="rivit, jotka eivät enää osu", sv="rader som inte längre träffar",
        en="rows that no longer hit",
    ),
    "rows-new": Texts(
        fi="rivit, jotka nyt osuvat", sv="rader som nu träffar", en="rows that hit now"
    ),
    "more": Texts(
        fi="ja {cases} muuta: --list TIEDOSTO kirjoittaa jokaisen",
        sv="och {cases} till: --list FIL skriver varje",
        en="and {cases} more: --list FILE writes every one",
    ),
    "alike": Texts(
        fi="Tavulleen samana toistui {cases} tallennettua päätöstä.",
        sv="Byte för byte lika blev {cases} lagrade beslut.",
        en="{cases} stored decisions came out again byte for byte.",
    ),
    "version-unread": Texts(
        fi="Ei voi toistaa: versiota {version} ei voi lukea, {cases} päätöstä.",
        sv="Kan inte upprepas: versionen {version} kan inte läsas, {cases} beslut.",
        en="Cannot be replayed: version {version} cannot be read, {cases} decisions.",
    ),
    "unlike": Texts(
        fi="Ei toistunut samana: {cases} päätöstä (asia, numero, aika, versio: mikä eroaa)",
        sv="Blev inte lika: {cases} beslut (ärende, nummer, tid, version: vad som skiljer)",
        en="Not the same: {cases} decisions (case, number, time, version: what differs)",
    ),
}  # fmt: skip
