"""What is wrong with a rule file, in words a person can act on, in three languages."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.routing.domain.tables.words import said_of
from services.routing.domain.texts import Texts
from shared.events import Language

Facts = Mapping[str, str | int]


class Child(NamedTuple):
    """A child that shows a fault: only the facts that matter to it."""

    facts: tuple[tuple[str, str | int], ...]

    def in_language(self, language: Language) -> str:
        told = ", ".join(said_of(column, value, language) for column, value in self.facts)
        return told or _ANY_CHILD.in_language(language)


class Fault(NamedTuple):
    """One thing that is wrong: where, which sentence says it, and what the sentence names.

    `witness` are the facts of a child that shows it (a pair: before and after more concern).
    `proposal` is YAML that would mend it, once a person has filled it in.
    """

    kind: str
    file: str
    row: str | None = None
    names: Mapping[str, str | Texts | Child] = {}
    witness: tuple[Facts, ...] = ()
    proposal: str = ""

    def in_language(self, language: Language) -> str:
        names = {
            key: name if isinstance(name, str) else name.in_language(language)
            for key, name in self.names.items()
        }
        row = f", {_ROW.in_language(language)} {self.row}" if self.row else ""
        text = f"{self.file}{row}: {SENTENCES[self.kind].in_language(language).format(**names)}"
        if self.proposal:
            text += f"\n{_PROPOSAL.in_language(language)}\n{self.proposal}"
        return text


class TablesRefusedError(ValueError):
    """Rule files must not go live; says every fault with its file, its row and what mends it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.in_language("en"))

    def in_language(self, language: Language) -> str:
        return "\n".join(fault.in_language(language) for fault in self.faults)


def _says(fi: str, sv: str, en: str) -> Texts:
    return Texts.model_construct(fi=fi, sv=sv, en=en)  # sentences may be longer than a row's texts


_ROW = _says("rivi", "rad", "row")
_ANY_CHILD = _says("mikä tahansa lapsi", "vilket barn som helst", "any child")
_PROPOSAL = _says("Ehdotus:", "Förslag:", "Proposal:")

SENTENCES: Mapping[str, Texts] = {
    # --- the file ---
    "no-version": _says(
        "tästä taulukosta ei löydy yhtään versiota",
        "ingen version av denna tabell hittades",
        "no version of this table was found",
    ),
    "version-name": _says(
        "version nimen on oltava muotoa 2026-11 tai 2026-11.2",
        "en version heter 2026-11 eller 2026-11.2",
        "a version is named 2026-11 or 2026-11.2",
    ),
    "not-this-file": _says(
        "tiedosto sanoo olevansa {table}, versio {version}",
        "filen säger att den är {table}, version {version}",
        "the file says it is {table}, version {version}",
    ),
    "not-readable": _says(
        "tiedostoa ei voi lukea YAML-muotoisena ({place})",
        "filen kan inte läsas som YAML ({place})",
        "the file cannot be read as YAML ({place})",
    ),
    "twice": _says(
        "{key} on kirjoitettu kahteen kertaan ({place})",
        "{key} står två gånger ({place})",
        "{key} stands twice ({place})",
    ),
    # --- the form of a row ---
    "form-missing": _says("{place}: puuttuu", "{place}: saknas", "{place}: it is missing"),
    "form-unknown": _says(
        "{place}: tällaista kohtaa ei ole",
        "{place}: det finns inget sådant",
        "{place}: no such part",
    ),
    "form-empty": _says("{place}: on tyhjä", "{place}: är tom", "{place}: it is empty"),
    "form-long": _says(
        "{place}: on yli 300 merkkiä",
        "{place}: är över 300 tecken",
        "{place}: more than 300 characters",
    ),
    "form-interval": _says(
        "{place}: luvusta tarvitaan at_least, at_most tai molemmat",
        "{place}: ett tal anges med at_least, at_most eller båda",
        "{place}: an interval needs at_least, at_most or both",
    ),
    "form-other": _says(
        "{place}: ei ole oikeaa muotoa ({problem})",
        "{place}: har inte rätt form ({problem})",
        "{place}: not in the right form ({problem})",
    ),
    "hit-kind": _says(
        "hit: {hit} ei sovi tähän taulukkoon; sopii: {known}",
        "hit: {hit} passar inte denna tabell; passar: {known}",
        "hit: {hit} does not suit this table; suits: {known}",
    ),
    "no-rows": _says("taulukossa ei ole rivejä", "tabellen har inga rader", "a table needs rows"),
    "id-twice": _says(
        "kahdella rivillä on tämä tunnus", "två rader har detta namn", "two rows have this id"
    ),
    "no-contents": _says(
        "contents puuttuu: luettele kaikkien rivien tunnukset, jotta poistettu rivi huomataan",
        "contents saknas: räkna upp alla raders namn, så att en borttagen rad märks",
        "contents is missing: list the ids of all rows, so that a row that goes is noticed",
    ),
    "contents-without-row": _says(
        "contents nimeää rivin, jota ei ole; palauta rivi tai poista tunnus",
        "contents nämner en rad som inte finns; ta tillbaka raden eller stryk namnet",
        "contents names a row that is not there; bring it back, or take the id out",
    ),
    "row-without-contents": _says(
        "riviä ei ole luettelossa contents; lisää se",
        "raden finns inte i contents; lägg till den",
        "the row is not listed in contents; add it",
    ),
    "unless-unknown": _says(
        "unless nimeää {other}, joka ei ole tämän taulukon toinen rivi",
        "unless nämner {other}, som inte är en annan rad i tabellen",
        "unless names {other}, which is no other row of this table",
    ),
    "unknown-then": _says(
        "then: {value} ei ole mikään näistä: {known}",
        "then: {value} är ingen av {known}",
        "then: {value} is not one of {known}",
    ),
    "unknown-column": _says(
        "tuntematon sarake {column}", "okänd kolumn {column}", "unknown column {column}"
    ),
    "unknown-value": _says(
        "{column}: tuntematon arvo {value}; tunnetut: {known}",
        "{column}: okänt värde {value}; kända: {known}",
        "{column}: unknown value {value}; known: {known}",
    ),
    "empty-interval": _says(
        "{column}: mikään arvo ei ole tällä välillä",
        "{column}: inget värde ligger i intervallet",
        "{column}: no value lies in this interval",
    ),
    "number-as-list": _says(
        "{column}: luku annetaan muodossa at_least, at_most tai molemmat",
        "{column}: ett tal anges med at_least, at_most eller båda",
        "{column}: a number is given by at_least, at_most or both",
    ),
    "value-as-number": _says(
        "{column}: arvot luetellaan; tunnetut: {known}",
        "{column}: värdena räknas upp; kända: {known}",
        "{column}: its values are listed; known: {known}",
    ),
    "empty-list": _says(
        "{column}: mitään arvoa ei sallita, joten rivi ei voisi koskaan osua",
        "{column}: inget värde tillåts, så raden kan aldrig träffa",
        "{column}: no value is allowed, so the row could never hit",
    ),
    "unless-offer": _says(
        "unless nimeää rivin {other}, joka ehdottaa tarjontaa {offer}; se voi hyvinvointialueelta "
        "puuttua, eikä mitään silloin ehdotettaisi. Kirjoita ehto kohtaan when",
        "unless nämner raden {other}, som föreslår {offer}; ett välfärdsområde kan sakna det, och "
        "då föreslogs ingenting. Skriv villkoret i when",
        "unless names row {other}, which proposes {offer}; a county may lack it, and then nothing "
        "would be proposed. Write the condition in when",
    ),
    # --- the county's settings ---
    "no-settings": _says(
        "hyvinvointialueen asetukset puuttuvat; kirjoita settings/<voimassa alkaen>.yaml",
        "välfärdsområdets inställningar saknas; skriv settings/<gäller från>.yaml",
        "there are no settings of the county; write settings/<valid from>.yaml",
    ),
    "settings-name": _says(
        "asetustiedoston nimi on voimaantulopäivä, 2026-08-01.yaml, "
        "tai saman päivän korjaus, 2026-08-01.2.yaml",
        "en fil med inställningar heter efter dagen de börjar gälla, 2026-08-01.yaml, "
        "eller som rättelse av samma dag, 2026-08-01.2.yaml",
        "a file of settings is named after the day they begin, 2026-08-01.yaml, "
        "or as a mend of the same day, 2026-08-01.2.yaml",
    ),
    "settings-offer": _says(
        "offers: {offer} ei ole mikään tunnetuista: {known}",
        "offers: {offer} är ingen av de kända: {known}",
        "offers: {offer} is not one of {known}",
    ),
    "settings-ages": _says(
        "{place}: ikä annetaan vuosina: at_least, at_most tai molemmat, pienempi ensin",
        "{place}: ålder anges i år: at_least, at_most eller båda, den lägre först",
        "{place}: ages are given in years: at_least, at_most or both, the lower one first",
    ),
    "settings-clinics": _says(
        "{place}: kumpikaan poliklinikka ei ota {year}-vuotiaita; jatka jommankumman ikärajaa",
        "{place}: ingen klinik tar emot {year}-åringar; flytta den enas åldersgräns",
        "{place}: no clinic takes {year}-year-olds; move the limit of one of them",
    ),
    "settings-two-counties": _says(
        "asetukset ovat hyvinvointialueen {county}, muut {other}; yhdessä kansiossa on vain yksi",
        "inställningarna är för {county}, de andra för {other}; en mapp har bara ett område",
        "these are settings of {county}, the others of {other}; one folder has one county's",
    ),
    "settings-without-row": _says(
        "offers: mikään rivi ei ehdota tarjontaa {offer}; lisää rivi tai poista se",
        "offers: ingen rad föreslår {offer}; lägg till en rad eller ta bort det",
        "offers: no row proposes {offer}; add a row, or take it out",
    ),
    # --- where facts come from ---
    "flow-irrelevant": _says(
        "sarake {column} riippuu tiedosta {source}, jota mikään sääntö ei saa tietää",
        "kolumnen {column} beror på {source}, som ingen regel får känna till",
        "column {column} depends on {source}, which no rule may know",
    ),
    "flow-unknown": _says(
        "sarake {column} riippuu tiedosta {source}, jota ei ole esitelty syötteeksi",
        "kolumnen {column} beror på {source}, som inte är en deklarerad uppgift",
        "column {column} depends on {source}, which is no declared input",
    ),
    "flow-undeclared": _says(
        "sarakkeesta {column} ei ole kerrottu, mistä se johdetaan",
        "det sägs inte varifrån kolumnen {column} härleds",
        "where column {column} comes from is not declared",
    ),
    # --- examples ---
    "no-examples": _says(
        "esimerkit puuttuvat: kirjoita, mihin rivi osuu (match) ja mihin ei (no_match)",
        "exempel saknas: skriv vad raden träffar (match) och inte träffar (no_match)",
        "it has no examples: write what it must match (match) and must not (no_match)",
    ),
    "example-missed": _says(
        "rivi ei osu esimerkkiin, johon sen pitää osua: {child}",
        "raden träffar inte ett exempel som den ska träffa: {child}",
        "the row does not hit an example that it must match: {child}",
    ),
    "example-hit": _says(
        "rivi osuu esimerkkiin, johon se ei saa osua: {child}",
        "raden träffar ett exempel som den inte får träffa: {child}",
        "the row hits an example that it must not match: {child}",
    ),
    "example-alone": _says(
        "mikään esimerkki ei ole sellainen, johon vain tämä rivi osuu; lisää match",
        "inget exempel träffas av bara denna rad; lägg till match",
        "no example is hit by this row alone; add one under match",
    ),
    "example-inside": _says(
        "rajan {column} = {value} sisäpuolelta puuttuu esimerkki; lisää match",
        "ett exempel innanför gränsen {column} = {value} saknas; lägg till match",
        "an example inside the limit {column} = {value} is missing; add one under match",
    ),
    "example-outside": _says(
        "rajan {column} = {value} ulkopuolelta puuttuu esimerkki; lisää no_match",
        "ett exempel utanför gränsen {column} = {value} saknas; lägg till no_match",
        "an example outside the limit {column} = {value} is missing; add one under no_match",
    ),
    "example-unless": _says(
        "esimerkki, jossa vain {other} estää rivin, puuttuu; lisää no_match",
        "ett exempel där bara {other} hindrar raden saknas; lägg till no_match",
        "an example that only {other} keeps from the row is missing; add one under no_match",
    ),
    # --- proofs ---
    "gap": _says(
        "mikään rivi ei osu lapseen, josta tiedetään: {child}",
        "ingen rad träffar ett barn om vilket är känt: {child}",
        "no row hits a child of whom is known: {child}",
    ),
    "both": _says(
        "molemmat osuvat lapseen, josta tiedetään: {child}",
        "båda träffar ett barn om vilket är känt: {child}",
        "both hit a child of whom is known: {child}",
    ),
    "dead": _says(
        "rivi ei voi koskaan osua", "raden kan aldrig träffa", "it can never hit"
    ),
    "lighter": _says(
        "enemmän huolta, kevyempi päätös: {outcome} jää pois. "
        "Ensin: {before}. Sitten, kun muu ei muutu: {after}",
        "mer oro, lättare beslut: {outcome} faller bort. "
        "Först: {before}. Sedan, när inget annat ändras: {after}",
        "more concern, a lighter decision: {outcome} falls away. "
        "First: {before}. Then, with nothing else changed: {after}",
    ),
    "exception-needless": _says(
        "poikkeusta ei tarvita: rivi ei kevennä mitään päätöstä",
        "undantaget behövs inte: raden gör inget beslut lättare",
        "the exception is not needed: the row makes no decision lighter",
    ),
    "entangled": _says(
        "taulukko on niin mutkikas, ettei todistusta saatu valmiiksi; jaa se pienemmiksi riveiksi",
        "tabellen är så invecklad att beviset inte blev färdigt; dela upp den i enklare rader",
        "the table is too entangled for the proof to end; write it in simpler rows",
    ),
}  # fmt: skip
