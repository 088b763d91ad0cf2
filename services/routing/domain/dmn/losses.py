"""What a reader of the DMN model must know that DMN cannot say."""

from collections.abc import Sequence
from typing import Final, get_args

from services.routing.domain.texts import Texts
from shared.events import Language

OWN: Final = Texts(
        fi="Hyvinvointialueen oma sääntötaulukko, ei THL:n OT-seula. Demoversio, jota kukaan ei "
        "ole allekirjoittanut.",
        sv="Välfärdsområdets egen regeltabell, inte THL:s OT-såll. En demoversion som ingen har "
        "undertecknat.",
        en="The county's own construction, not THL's OT screen. A demo version that nobody has "
        "signed.",
)  # fmt: skip

LOSSES: Final[Sequence[Texts]] = (
    Texts(
        fi="Yksisuuntainen vienti: Luotsi ei lue tätä tiedostoa, ja säännöt ovat voimassa vain "
        "Luotsin omissa tiedostoissa.",
        sv="En export i en riktning: Luotsi läser inte filen, och reglerna gäller bara i Luotsis"
        " egna filer.",
        en="A one-way export: Luotsi does not read this file, and the rules are in force only in"
        " Luotsi's own files.",
    ),
    Texts(
        fi="Jos yhden tuloksen taulukossa ei osu yksikään rivi tai osuvat rivit antavat eri "
        "tuloksia, Luotsi tekee tehtävän ihmiselle ja pitää tasoa vaativana; DMN:ssä tulos jää "
        "tyhjäksi.",
        sv="Träffar ingen rad, eller rader med olika utfall, i en tabell med ett utfall, ger "
        "Luotsi en människa en uppgift och håller nivån som vaativa; i DMN blir utfallet "
        "tomt.",
        en="Where no row or rows of different outcomes hit a table of one outcome, Luotsi makes "
        "a task for a person and takes the level as vaativa; DMN gives no result.",
    ),
    Texts(
        fi="COLLECT antaa tuloksen jokaiselta osuvalta riviltä; Luotsi sanoo saman tuloksen "
        "kerran.",
        sv="COLLECT ger ett utfall för varje rad som träffar; Luotsi säger samma utfall en gång.",
        en="COLLECT gives an outcome for each row that hits; Luotsi says the same outcome once.",
    ),
    Texts(
        fi="Rivin unless on kirjoitettu sarakkeeksi, joka toistaa toisen rivin ehdot; kun ne "
        "muuttuvat, sarake on muutettava erikseen.",
        sv="En rads unless är utskriven som en kolumn som upprepar den andra radens villkor; "
        "ändras de, måste kolumnen ändras för sig.",
        en="A row's unless is written out as a column that repeats the other row's conditions; "
        "when they change, it has to be changed apart.",
    ),
    Texts(
        fi="Perustelut, säädökset, omistajat, poikkeukset ja esimerkit ovat huomautuksia: mikään"
        " työkalu ei tarkista eikä aja niitä.",
        sv="Motiveringar, bestämmelser, ägare, undantag och exempel är anteckningar: inget "
        "verktyg kontrollerar eller kör dem.",
        en="Reasons, citations, owners, exceptions and examples are annotations: no tool checks "
        "or runs them.",
    ),
    Texts(
        fi="Todistukset puuttuvat: että jokainen lapsi saa yhden tason ja haltijan, ettei huolen"
        " kasvu kevennä päätöstä, ja mitkä kysymykset ratkaisevat.",
        sv="Bevisen saknas: att varje barn får en nivå och en innehavare, att mer oro inte gör "
        "beslutet lättare, och vilka frågor som avgör.",
        en="The proofs are missing: that every child gets one level and holder, that more "
        "concern gives no lighter decision, and which questions matter.",
    ),
    Texts(
        fi="Miten tiedot johdetaan ilmoituksista ja vastauksista, ei ole mukana: tiedot ovat "
        "syötteitä. Tuntematon arvo on Luotsissa unknown, DMN:ssä virhe.",
        sv="Hur uppgifterna härleds ur anmälningar och svar ingår inte: de är indata. Ett okänt "
        "värde är unknown i Luotsi och ett fel i DMN.",
        en="How the facts are derived from notifications and answers is not included: they are "
        "inputs. A value that is not known is unknown in Luotsi, an error in DMN.",
    ),
)  # fmt: skip


def about() -> str:
    """All of it in the three languages."""
    return "\n\n".join(
        "\n".join(f"- {each.in_language(language)}" for each in (OWN, *LOSSES))
        for language in get_args(Language)
    )
