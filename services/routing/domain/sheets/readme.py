"""What stands on the first sheet: what may be changed, how, and what becomes of it."""

from collections.abc import Sequence
from typing import Final

from services.routing.domain.texts import Texts

README: Final = "readme"

TITLE: Final = Texts(
    fi="Luotsin sääntötaulukot", sv="Luotsis regeltabeller", en="Luotsi's rule tables"
)
PARAGRAPHS: Final[Sequence[Texts]] = (
    Texts(
        fi="Hyvinvointialueen oma sääntötaulukko, ei THL:n OT-seula. Demoversio, jota kukaan ei "
        "ole allekirjoittanut. Taso ja ohjaus ovat ehdotuksia, joista ihminen päättää.",
        sv="Välfärdsområdets egen regeltabell, inte THL:s OT-såll. En demoversion som ingen har "
        "undertecknat. Nivån och vägen är förslag som en människa avgör om.",
        en="The county's own construction, not THL's OT screen. A demo version that nobody has "
        "signed. Level and route are proposals that a person decides on.",
    ),
    Texts(
        fi="SAA MUUTTAA: välilehtien urgent, level, holder, destinations ja questions rivit: "
        "muuta, lisää ja poista. Rivien järjestyksellä ei ole merkitystä. Kun lisäät tai poistat "
        "rivin, muuta myös välilehden tables sarake contents, niin poistettu rivi huomataan.",
        sv="FÅR ÄNDRAS: raderna på bladen urgent, level, holder, destinations och questions: "
        "ändra, lägg till och ta bort. Radernas ordning saknar betydelse. När du lägger till "
        "eller tar bort en rad, ändra också contents på bladet tables, så märks en borttagen rad.",
        en="MAY BE CHANGED: the rows of the sheets urgent, level, holder, destinations and "
        "questions: change, add and remove. Their order means nothing. When you add or remove a "
        "row, change contents on the sheet tables, too, so that a row that goes is noticed.",
    ),
    Texts(
        fi="Välilehdellä tables saa muuttaa omistajaa (owner), huomautusta (note), luetteloa "
        "contents ja sitä, moniko rivi saa osua (hit).",
        sv="På bladet tables får ägaren (owner), anmärkningen (note), listan contents och hur "
        "många rader som får träffa (hit) ändras.",
        en="On the sheet tables the owner, the note, the list contents and how many rows may hit "
        "(hit) may be changed.",
    ),
    Texts(
        fi="EI SAA MUUTTAA: välilehtien nimiä, ensimmäistä riviä eikä sarakkeita table ja "
        "version. Välilehtiä readme ja facts sekä rivejä, jotka alkavat merkillä #, ei lueta.",
        sv="FÅR INTE ÄNDRAS: bladens namn, första raden och kolumnerna table och version. "
        "Bladen readme och facts och rader som börjar med # läses inte.",
        en="MAY NOT BE CHANGED: the names of the sheets, the first row, and the columns table "
        "and version. The sheets readme and facts are not read, nor are rows that begin "
        "with #.",
    ),
    Texts(
        fi="EHDOT: sarakkeessa when TIETO luetellaan arvot, joilla rivi osuu: yes tai no, "
        "unknown. Luku annetaan rajoina: >= 3, <= 0 tai 2..4. Tyhjä solu ei kysy tietoa lainkaan. "
        "Kaikkien ehtojen on täytyttävä.",
        sv="VILLKOR: i kolumnen when UPPGIFT räknas de värden upp som raden träffar vid: yes, "
        "eller no, unknown. Ett tal anges med gränser: >= 3, <= 0 eller 2..4. En tom cell frågar "
        "inte alls. Alla villkor måste uppfyllas.",
        en="CONDITIONS: a column when FACT lists the values at which the row hits: yes, or no, "
        "unknown. A number is given by limits: >= 3, <= 0 or 2..4. An empty cell does not ask. "
        "All conditions must hold.",
    ),
    Texts(
        fi="Uusi ehto: lisää sarake, jonka ensimmäisellä rivillä on when ja tiedon nimi "
        "välilehdeltä facts.",
        sv="Ett nytt villkor: lägg till en kolumn med when och uppgiftens namn från bladet facts "
        "på första raden.",
        en="A new condition: add a column with when and the fact's name from the sheet facts in "
        "its first row.",
    ),
    Texts(
        fi="ESIMERKIT: yksi rivilleen solussa (Alt+Enter tai Ctrl+Enter): psych: yes, level: "
        "[perus, erityis]. Hakasulkeet tarkoittavat esimerkkiä kullakin arvolla. Nimeämättömällä "
        "tiedolla on vähiten huolta ilmaiseva arvo.",
        sv="EXEMPEL: ett per rad i cellen (Alt+Enter eller Ctrl+Enter): psych: yes, level: "
        "[perus, erityis]. Hakparenteser betyder ett exempel med vart värde. En uppgift som inte "
        "nämns har det värde som uttrycker minst oro.",
        en="EXAMPLES: one a line in the cell (Alt+Enter or Ctrl+Enter): psych: yes, level: "
        "[perus, erityis]. Brackets stand for one example with each value. A fact that is not "
        "named has the value of least concern.",
    ),
    Texts(
        fi="POIKKEUS: jos suurempi huoli saa jollakin rivillä keventää päätöstä, kirjoita syy "
        "sarakkeisiin exception kaikilla kolmella kielellä. Muuten ne ovat tyhjiä.",
        sv="UNDANTAG: om mer oro på någon rad får göra beslutet lättare, skriv orsaken i "
        "kolumnerna exception på alla tre språken. Annars är de tomma.",
        en="EXCEPTION: where more concern may give a lighter decision, write why into the columns "
        "exception, in all three languages. Otherwise they are empty.",
    ),
    Texts(
        fi="Kaikki solut ovat tekstiä. Kaavoja ei lueta. Älä kirjoita tähän henkilötietoja.",
        sv="Alla celler är text. Formler läses inte. Skriv inga personuppgifter här.",
        en="All cells are text. Formulas are not read. Write nothing about a person here.",
    ),
    Texts(
        fi="VALMIS: ./luotsi rules import TIEDOSTO.xlsx --as VERSIO --language fi tekee "
        "luonnoksen ja tarkistaa sen. Se ei muuta voimassa olevia sääntöjä. YAML-tiedostojen "
        "kommentit eivät säily muutetussa taulukossa.",
        sv="FÄRDIG: ./luotsi rules import FIL.xlsx --as VERSION --language sv gör ett utkast och "
        "kontrollerar det. Gällande regler ändras inte. Kommentarer i YAML-filerna följer inte "
        "med i en ändrad tabell.",
        en="DONE: ./luotsi rules import FILE.xlsx --as VERSION makes a draft and checks it. The "
        "rules in force do not change. Comments in the YAML files do not survive in a table that "
        "was changed.",
    ),
)
