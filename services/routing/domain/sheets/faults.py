"""What is wrong in a spreadsheet of rule tables: the place and the mend, in three languages."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.routing.domain.tables.faults import Child, Fault
from services.routing.domain.texts import Texts
from shared.events import Language


class Place(NamedTuple):
    """Where in a workbook: rows and columns as a spreadsheet counts them, from 1.

    `header` is what the first row says of the column, `id` the row's own; what is not known is
    left out.
    """

    sheet: str = ""
    row: int | None = None
    column: int | None = None
    header: str = ""
    id: str = ""

    def in_language(self, language: Language) -> str:
        parts = []
        if self.sheet:
            parts.append(f"{_SHEET.in_language(language)} {self.sheet}")
        if self.row is not None:
            named = f" ({self.id})" if self.id else ""
            parts.append(f"{_ROW.in_language(language)} {self.row}{named}")
        elif self.id:
            parts.append(self.id)
        if self.column is not None:
            named = f" ({self.header})" if self.header else ""
            parts.append(f"{_COLUMN.in_language(language)} {letters(self.column)}{named}")
        return ", ".join(parts) or _WORKBOOK.in_language(language)


class SheetFault(NamedTuple):
    """One thing that is wrong: where, which sentence says it with its mend, and what it names."""

    kind: str
    place: Place = Place()
    names: Mapping[str, str | Texts | Child] = {}
    proposal: str = ""

    def in_language(self, language: Language) -> str:
        sentence = SHEET_SENTENCES.get(self.kind)
        if sentence is None:  # what the files' own check says
            where = self.place.in_language(language)
            fault = Fault(self.kind, where, None, self.names, (), self.proposal)
            return fault.in_language(language)
        names = {
            key: name if isinstance(name, str) else name.in_language(language)
            for key, name in self.names.items()
        }
        told = sentence.in_language(language).format(**names)
        return f"{self.place.in_language(language)}: {told}"


class SheetsRefusedError(ValueError):
    """The workbook cannot be taken as rule tables; says every fault found."""

    def __init__(self, faults: Iterable[SheetFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.in_language("en"))

    def in_language(self, language: Language) -> str:
        return "\n".join(fault.in_language(language) for fault in self.faults)


def letters(column: int) -> str:
    """A column's letters: 1 is A, 27 is AA."""
    found = ""
    while column > 0:
        column, place = divmod(column - 1, 26)
        found = chr(ord("A") + place) + found
    return found


def _says(fi: str, sv: str, en: str) -> Texts:
    return Texts.model_construct(fi=fi, sv=sv, en=en)  # sentences may be longer than a row's texts


_SHEET = _says("välilehti", "blad", "sheet")
_ROW = _says("rivi", "rad", "row")
_COLUMN = _says("sarake", "kolumn", "column")
_WORKBOOK = _says("työkirja", "arbetsboken", "the workbook")

SHEET_SENTENCES: Mapping[str, Texts] = {
    # --- the file ---
    "not-a-workbook": _says(
        "tiedosto ei ole luettava Excel-työkirja; tallenna se muodossa .xlsx ilman salasanaa",
        "filen är ingen läsbar Excel-arbetsbok; spara den som .xlsx utan lösenord",
        "the file is no readable Excel workbook; save it as .xlsx, without a password",
    ),
    "too-large": _says(
        "työkirja on liian suuri ({limit}); poista siitä se, mikä ei kuulu sääntötaulukoihin",
        "arbetsboken är för stor ({limit}); ta bort det som inte hör till regeltabellerna",
        "the workbook is too large ({limit}); take out what does not belong to the rule tables",
    ),
    "too-far": _says(
        "luetaan enintään {rows} riviä ja {columns} saraketta; poista teksti niiden ulkopuolelta",
        "högst {rows} rader och {columns} kolumner läses; ta bort texten utanför dem",
        "at most {rows} rows and {columns} columns are read; take out the text beyond them",
    ),
    "not-carried": _says(
        "taulukkoa ei voi viedä laskentataulukkoon häviöttä; onko jossakin tekstissä "
        "ohjausmerkkejä tai alussa =?",
        "tabellen kan inte exporteras till ett kalkylblad utan förlust; har någon text "
        "styrtecken, eller = i början?",
        "the table cannot be carried by a spreadsheet without loss; does a text have control "
        "characters, or begin with =?",
    ),
    "not-newer": _says(
        "versio {version} ei ole uudempi kuin {latest}; tallennetut päätökset nimeävät vanhat "
        "versiot, joten anna uusi nimi (--as)",
        "version {version} är inte nyare än {latest}; sparade beslut nämner de gamla versionerna, "
        "så ange ett nytt namn (--as)",
        "version {version} is not newer than {latest}; stored decisions name the old versions, "
        "so give it a new name (--as)",
    ),
    "sheet-missing": _says(
        "välilehti puuttuu; vie taulukot uudelleen ja kopioi se sieltä",
        "bladet saknas; exportera tabellerna på nytt och kopiera det därifrån",
        "the sheet is missing; export the tables anew and copy it from there",
    ),
    # --- columns ---
    "column-missing": _says(
        "sarake {column} puuttuu; lisää se ja kirjoita sen nimi ensimmäiselle riville",
        "kolumnen {column} saknas; lägg till den och skriv dess namn på första raden",
        "the column {column} is missing; add it, with its name in the first row",
    ),
    "column-unknown": _says(
        "saraketta {column} ei tunneta; tunnetut: {known}",
        "kolumnen {column} är okänd; kända: {known}",
        "the column {column} is not known; known: {known}",
    ),
    "column-twice": _says(
        "sarake {column} on kahteen kertaan; yhdistä tai poista toinen",
        "kolumnen {column} finns två gånger; slå ihop dem eller ta bort den ena",
        "the column {column} stands twice; join them, or take one out",
    ),
    "column-unnamed": _says(
        "solussa on tekstiä, mutta sarakkeella ei ole nimeä ensimmäisellä rivillä; "
        "nimeä sarake tai tyhjennä solu",
        "cellen har text, men kolumnen har inget namn på första raden; "
        "namnge kolumnen eller töm cellen",
        "the cell holds text, but its column has no name in the first row; "
        "name the column, or empty the cell",
    ),
    "fact-unknown": _says(
        "tietoa {column} ei tunneta, tai tämä taulukko ei saa kysyä sitä; "
        "välilehdellä facts luetellaan tiedot",
        "uppgiften {column} är okänd, eller så får tabellen inte fråga efter den; "
        "bladet facts räknar upp uppgifterna",
        "the fact {column} is not known, or this table may not ask for it; "
        "the sheet facts lists them",
    ),
    # --- cells ---
    "cell-formula": _says(
        "solu alkaa merkillä = eli on kaava, eikä kaavoja lueta; kirjoita tilalle teksti",
        "cellen börjar med = och är alltså en formel, och formler läses inte; skriv text i stället",
        "the cell begins with =, so it is a formula, and no formula is read; write text instead",
    ),
    "cell-date": _says(
        "solussa on päivämäärä; muotoile solu tekstiksi ja kirjoita sen sisältö uudelleen",
        "cellen innehåller ett datum; formatera den som text och skriv innehållet på nytt",
        "the cell holds a date; format it as text, and write what it says again",
    ),
    "cell-truth": _says(
        "solussa on totuusarvo; muotoile solu tekstiksi ja kirjoita yes, no tai unknown",
        "cellen innehåller ett sanningsvärde; formatera den som text och skriv yes, no "
        "eller unknown",
        "the cell holds a truth value; format it as text, and write yes, no or unknown",
    ),
    "cell-error": _says(
        "solussa on laskentaohjelman virhe; kirjoita tilalle teksti",
        "cellen innehåller ett fel från kalkylprogrammet; skriv text i stället",
        "the cell holds an error of the spreadsheet program; write text instead",
    ),
    "cell-decimal": _says(
        "solussa on desimaaliluku; kirjoita kokonaisluku tai teksti",
        "cellen innehåller ett decimaltal; skriv ett heltal eller text",
        "the cell holds a decimal number; write a whole number, or text",
    ),
    "cell-merged": _says(
        "solu on yhdistetty toisiin; pura yhdistäminen ja kirjoita jokaiseen soluun, mitä siinä on",
        "cellen är sammanslagen med andra; dela den och skriv i varje cell vad där ska stå",
        "the cell is merged with others; unmerge it, and write into each cell what it says",
    ),
    "cell-missing": _says(
        "solu on tyhjä; kirjoita siihen teksti",
        "cellen är tom; skriv en text i den",
        "the cell is empty; write its text",
    ),
    "cell-long": _says(
        "solussa on yli 300 merkkiä; lyhennä",
        "cellen har över 300 tecken; korta av",
        "the cell holds more than 300 characters; shorten it",
    ),
    "cell-slug": _says(
        "vain pieniä kirjaimia a–z ja numeroita, välissä - tai _; alussa kirjain",
        "bara små bokstäver a–z och siffror, med - eller _ emellan; först en bokstav",
        "small letters a–z and digits only, with - or _ between them; a letter first",
    ),
    "cell-list": _says(
        "kirjoita arvot pilkuilla erotettuina: yes, unknown",
        "skriv värdena med kommatecken emellan: yes, unknown",
        "write the values with commas between them: yes, unknown",
    ),
    "cell-examples": _says(
        "kirjoita yksi esimerkki rivilleen: psych: yes, level: [perus, erityis]",
        "skriv ett exempel per rad: psych: yes, level: [perus, erityis]",
        "write one example a line: psych: yes, level: [perus, erityis]",
    ),
    "cell-choice": _says(
        "sopii vain jokin näistä: {known}", "passar gör bara: {known}", "only one of: {known}"
    ),
    "cell-other": _says(
        "ei ole oikeaa muotoa ({problem})",
        "har inte rätt form ({problem})",
        "not in the right form ({problem})",
    ),
    "number-as-list": _says(
        "luku annetaan rajoina: >= 3, <= 3 tai 2..4",
        "ett tal anges med gränser: >= 3, <= 3 eller 2..4",
        "a number is given by limits: >= 3, <= 3 or 2..4",
    ),
    # --- the list of tables, and the questions ---
    "table-missing": _says(
        "rivi taulukosta {table} puuttuu; vie taulukot uudelleen ja kopioi se sieltä",
        "raden om tabellen {table} saknas; exportera tabellerna på nytt och kopiera den därifrån",
        "the row of the table {table} is missing; export the tables anew and copy it from there",
    ),
    "table-twice": _says(
        "taulukosta {table} on kaksi riviä; poista toinen",
        "tabellen {table} har två rader; ta bort den ena",
        "the table {table} has two rows; take one out",
    ),
    "question-unknown": _says(
        "tätä ei voi kysyä; poista rivi",
        "detta kan inte frågas; ta bort raden",
        "this cannot be asked; take the row out",
    ),
    "question-twice": _says(
        "tätä kysytään kahdesti; poista toinen rivi",
        "detta frågas två gånger; ta bort den ena raden",
        "this is asked twice; take one row out",
    ),
    "question-missing": _says(
        "kysymys {question} puuttuu; lisää sille rivi",
        "frågan {question} saknas; lägg till en rad för den",
        "the question {question} is missing; add a row for it",
    ),
}  # fmt: skip
