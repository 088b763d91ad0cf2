"""What the workers write: reasons in their words."""

CALM = (
    "Lapsi on turvassa kotona, ilmoittajaan on oltu yhteydessä.",
    "Ei välitöntä vaaraa. Asia ehtii virka-aikaan.",
    "Puhuttu ilmoittajan kanssa, tilanne on rauhoittunut.",
    "Lapsi on koulussa turvassa, huoltaja tavoitettu.",
    "Tilanne on pitkittynyt mutta ei kiireellinen.",
)
URGENT = (
    "Lapsen turvallisuudesta ei ole varmuutta, lähdetään heti selvittämään.",
    "Ilmoituksen tiedot ovat vakavia, tilanne arvioidaan paikan päällä tänään.",
    "Ilmoittajan kanssa puhuttu, tilanne vaatii välitöntä selvittämistä.",
)
STAMPED = "Ehdotuksen mukaan."
HANDED_OVER = "Kiireelliset toimet on tehty päivystyksessä, asia siirtyy eteenpäin."
CHECKED_BY_HAND = "Tiedot tarkistettiin käsin."
OVERRIDE = (
    "Perheellä on jo nimetty työntekijä, jatketaan hänen kanssaan.",
    "Asiakkuus on päättymässä, uusi arviointi on paikallaan.",
)
SECOND_OPINION = (
    "Luin tapauksen toisena: tiedot viittaavat muuhun kuin ensin katsottiin.",
    "Toinen arvio: aiemmat ilmoitukset huomioon ottaen päädyn eri tulokseen.",
)
ACCEPT = ("Perhe toivoo tätä tukea.", "Sopii tilanteeseen.", "Sovittu huoltajan kanssa.")
DECLINE = (
    "Perhe saa jo vastaavaa tukea.",
    "Huoltaja ja lapsi eivät halua tätä nyt.",
    "Arvioidaan uudelleen arvioinnin jälkeen.",
)
UNNECESSARY = (
    "Sama tilanne on arvioitu hiljattain, uutta ei ole tullut esiin.",
    "Tilanne selvitetty huoltajan kanssa, tukea ei tarvita.",
)
MATTER = (
    "Poissaolojen taustalla on huoli kotitilanteesta, otetaan käsittelyyn.",
    "Koulun keinot eivät ole riittäneet, arvioidaan tuen tarve.",
)
NO_MATTER = (
    "Koulun omat toimet ovat kesken, ei toimenpiteitä lastensuojelussa.",
    "Koulun kanssa puhuttu: poissaoloille on selvitetty syy.",
)
SAME_PERSON = (
    "Henkilötunnus on sama, kyse on samasta lapsesta.",
    "Huoltaja vahvisti: molemmat asiat koskevat samaa lasta.",
)
CLOSED = (
    "Lähettäjään on oltu yhteydessä, tiedot tulevat uudessa viestissä.",
    "Sisältö luettiin alkuperäisestä: viesti ei koske lapsen tuen tarvetta.",
)
