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

WHOLE = _says("sisältö", "innehållet", "content")
"""The place of what is wrong with a file, or a row, as a whole."""

SENTENCES: Mapping[str, Texts] = {
    # --- the file ---
    "no-version": _says(
        "versiota ei löydy; palauta tiedosto tai kirjoita se",
        "ingen version hittades; ta tillbaka filen eller skriv den",
        "no version of this was found; bring the file back, or write it",
    ),
    "version-name": _says(
        "version nimen on oltava muotoa 2026-11 tai 2026-11.2",
        "en version heter 2026-11 eller 2026-11.2",
        "a version is named 2026-11 or 2026-11.2",
    ),
    "not-this-file": _says(
        "tiedosto sanoo olevansa {table}, versio {version}; korjaa se tai tiedoston nimi",
        "filen säger att den är {table}, version {version}; rätta det eller filens namn",
        "the file says it is {table}, version {version}; mend that, or the file's name",
    ),
    "not-readable": _says(
        "tiedostoa ei voi lukea YAML-muotoisena ({place}: rivi ja merkki). Katso siltä riviltä ja "
        "sitä ennen sisennys, kaksoispisteet, sulut ja lainausmerkit",
        "filen kan inte läsas som YAML ({place}: rad och tecken). Se på den raden och före den "
        "efter indrag, kolon, parenteser och citattecken",
        "the file cannot be read as YAML ({place}: line and character). Look there, and before it, "
        "at indentation, colons, brackets and quotation marks",
    ),
    "tab": _says(
        "rivi {place} on sisennetty sarkaimella; sisennä välilyönneillä",
        "rad {place} har indrag med tabb; använd mellanslag",
        "line {place} is indented with a tab; indent with spaces",
    ),
    "not-utf-8": _says(
        "tiedosto ei ole UTF-8-muotoista tekstiä; tallenna se muodossa UTF-8",
        "filen är inte text i UTF-8; spara den som UTF-8",
        "the file is no text in UTF-8; save it as UTF-8",
    ),
    "not-plain": _says(
        "viittauksia (&, *) ja tyyppimerkintöjä (!) ei lueta ({place}); kirjoita sisältö auki tai "
        "lainausmerkkeihin",
        "hänvisningar (&, *) och typer (!) läses inte ({place}); skriv ut innehållet, eller sätt "
        "det inom citattecken",
        "references (&, *) and types (!) are not read ({place}); write out what they stand for, or "
        "put it in quotation marks",
    ),
    "too-deep": _says(
        "liian monta sisäkkäistä kohtaa ({place}); tarkista sulut ja sisennys",
        "för många inkapslade delar ({place}); kontrollera parenteser och indrag",
        "nested too deeply ({place}); check brackets and indentation",
    ),
    "too-long-file": _says(
        "tiedosto on yli {limit}; poista siitä se, mikä ei kuulu sääntöihin",
        "filen är över {limit}; ta bort det som inte hör till reglerna",
        "the file is larger than {limit}; take out what does not belong to the rules",
    ),
    "not-read": _says(
        "tiedostoa ei lueta: sääntötiedoston nimi päättyy .yaml. Nimeä uudelleen tai vie muualle",
        "filen läses inte: en regelfils namn slutar på .yaml. Döp om den eller flytta den",
        "the file is not read: the name of a rule file ends in .yaml. Rename it, or move it away",
    ),
    "twice": _says(
        "{key} on kirjoitettu kahteen kertaan ({place}); poista toinen",
        "{key} står två gånger ({place}); ta bort det ena",
        "{key} stands twice ({place}); take one out",
    ),
    # --- the form of a row ---
    "form-missing": _says(
        "{place}: puuttuu; lisää se", "{place}: saknas; lägg till det",
        "{place}: it is missing; add it",
    ),
    "form-unknown": _says(
        "{place}: tällaista kohtaa ei ole; poista se tai korjaa nimi",
        "{place}: det finns inget sådant; ta bort det eller rätta namnet",
        "{place}: no such part; take it out, or mend its name",
    ),
    "form-empty": _says(
        "{place}: on tyhjä; kirjoita sisältö", "{place}: är tom; skriv innehållet",
        "{place}: it is empty; write what it says",
    ),
    "form-long": _says(
        "{place}: on yli 300 merkkiä; lyhennä",
        "{place}: är över 300 tecken; korta av",
        "{place}: more than 300 characters; shorten it",
    ),
    "form-text": _says(
        "{place}: tähän kuuluu teksti; jos siinä on erikoismerkkejä, lainausmerkeissä",
        "{place}: här ska stå en text; inom citattecken, om den har specialtecken",
        "{place}: a text belongs here; in quotation marks, if it has special characters",
    ),
    "form-name": _says(
        "{place}: {value} ei kelpaa; vain pieniä kirjaimia a–z ja numeroita, välissä -; alussa "
        "kirjain",
        "{place}: {value} duger inte; bara små bokstäver a–z och siffror, med - emellan; först en "
        "bokstav",
        "{place}: {value} will not do; small letters a–z and digits only, with - between them; a "
        "letter first",
    ),
    "form-choice": _says(
        "{place}: {value} ei ole mikään näistä: {known}",
        "{place}: {value} är ingen av {known}",
        "{place}: {value} is not one of {known}",
    ),
    "form-mapping": _says(
        "{place}: tähän kuuluu kohtia, kukin muodossa nimi: sisältö",
        "{place}: här ska stå delar, var och en som namn: innehåll",
        "{place}: parts belong here, each as name: content",
    ),
    "form-list": _says(
        "{place}: tähän kuuluu luettelo: [yksi, toinen], tai kukin omalle rivilleen, alussa -",
        "{place}: här ska stå en lista: [ett, annat], eller var och en på en rad efter ett -",
        "{place}: a list belongs here: [one, other], or each on a line of its own after a -",
    ),
    "form-nothing": _says(
        "{place}: luettelo on tyhjä; kirjoita ainakin yksi",
        "{place}: listan är tom; skriv minst en",
        "{place}: the list is empty; write at least one",
    ),
    "form-whole": _says(
        "{place}: {value} ei ole kokonaisluku", "{place}: {value} är inget heltal",
        "{place}: {value} is no whole number",
    ),
    "form-number": _says(
        "{place}: {value} ei ole luku; kirjoita se pisteellä, esimerkiksi 16.38",
        "{place}: {value} är inget tal; skriv det med punkt, till exempel 16.38",
        "{place}: {value} is no number; write it with a point, such as 16.38",
    ),
    "form-at-least": _says(
        "{place}: {value} on liian pieni; vähintään {limit}",
        "{place}: {value} är för litet; minst {limit}",
        "{place}: {value} is too small; at least {limit}",
    ),
    "form-at-most": _says(
        "{place}: {value} on liian suuri; enintään {limit}",
        "{place}: {value} är för stort; högst {limit}",
        "{place}: {value} is too large; at most {limit}",
    ),
    "form-day": _says(
        "{place}: {value} ei ole päivä; kirjoita vuosi-kuukausi-päivä, esimerkiksi 2026-08-01",
        "{place}: {value} är ingen dag; skriv år-månad-dag, till exempel 2026-08-01",
        "{place}: {value} is no day; write year-month-day, such as 2026-08-01",
    ),
    "form-condition": _says(
        "{place}: kirjoita arvot hakasulkeisiin: [yes, unknown], tai luvun kokonaiset rajat: "
        "{{ at_least: 2, at_most: 4 }}, joista toinen voi puuttua",
        "{place}: skriv värdena inom hakparentes: [yes, unknown], eller ett tals hela gränser: "
        "{{ at_least: 2, at_most: 4 }}, av vilka den ena kan saknas",
        "{place}: write the values in brackets: [yes, unknown], or the limits of a number, whole "
        "ones: {{ at_least: 2, at_most: 4 }}, of which one may be left out",
    ),
    "form-example": _says(
        "{place}: kirjoita esimerkki omalle rivilleen: - {{ psych: yes, level: [perus, erityis] }}",
        "{place}: skriv ett exempel på en egen rad: - {{ psych: yes, level: [perus, erityis] }}",
        "{place}: write an example on its own line: - {{ psych: yes, level: [perus, erityis] }}",
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
        "kahdella rivillä on tämä tunnus; nimeä toinen uudelleen tai poista se",
        "två rader har detta namn; döp om den ena eller ta bort den",
        "two rows have this id; rename one, or take it out",
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
        "unless nimeää {other}, joka ei ole tämän taulukon toinen rivi; korjaa tunnus tai poista",
        "unless nämner {other}, som inte är en annan rad i tabellen; rätta namnet eller ta bort",
        "unless names {other}, which is no other row of this table; mend the id, or take it out",
    ),
    "unknown-then": _says(
        "then: {value} ei ole mikään näistä: {known}",
        "then: {value} är ingen av {known}",
        "then: {value} is not one of {known}",
    ),
    "unknown-column": _says(
        "tuntematon sarake {column}; lähimmät: {near}",
        "okänd kolumn {column}; närmast: {near}",
        "unknown column {column}; nearest: {near}",
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
    # --- the questions ---
    "question-unknown": _says(
        "tätä ei voi kysyä; poista kysymys tai korjaa sen tunnus",
        "detta kan inte frågas; ta bort frågan eller rätta dess namn",
        "this cannot be asked; take the question out, or mend its id",
    ),
    "question-twice": _says(
        "tätä kysytään kahdesti; poista toinen",
        "detta frågas två gånger; ta bort den ena",
        "this is asked twice; take one out",
    ),
    "question-missing": _says(
        "kysymys {question} puuttuu; kirjoita se",
        "frågan {question} saknas; skriv den",
        "the question {question} is missing; write it",
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
        "molemmat osuvat lapseen, josta tiedetään: {child}. Rajaa toista, tai nimeä toinen sen "
        "kohdassa unless",
        "båda träffar ett barn om vilket är känt: {child}. Begränsa den ena, eller nämn den andra "
        "i dess unless",
        "both hit a child of whom is known: {child}. Narrow one, or name the other in its unless",
    ),
    "dead": _says(
        "rivi ei voi koskaan osua; tarkista sen ehdot ja unless, tai poista se",
        "raden kan aldrig träffa; se på dess villkor och unless, eller ta bort den",
        "it can never hit; look at its conditions and unless, or take it out",
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
