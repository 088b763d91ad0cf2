"""Names, places and units of the sample county. All invented; surnames are put together."""

from typing import Final

COUNTY: Final = "Kuuselan hyvinvointialue"

GIRLS: Final = (
    "Aada Aino Aurora Eevi Elina Ellen Elsa Emma Enni Fanni Hanna Helmi Hertta Hilda Iida Iines "
    "Inka Isla Jenna Kerttu Lilja Linnea Lumi Maija Matilda Meri Mette Milja Minttu Nella Oona "
    "Peppi Pihla Ronja Saara Saimi Säde Selma Siiri Silja Sofia Sylvi Taika Tilda Tuuli Vanamo "
    "Venla Viivi Vilja"
).split()
BOYS: Final = (
    "Aapo Aaro Akseli Alvar Antto Arttu Atte Daniel Eelis Eemil Eeli Eino Elias Elmeri Emil Hugo "
    "Iivari Ilmari Jaakko Joel Joona Jyri Kaapo Lauri Leevi Lenni Luka Matias Mikael Niilo Noel "
    "Nooa Okko Oiva Olavi Onni Oskari Otso Paavo Pyry Rasmus Samuel Sulo Taavi Toivo Urho Veikka "
    "Viljami Väinö"
).split()
WOMEN: Final = (
    "Anniina Eija Elisa Hannele Heidi Henna Jaana Johanna Katja Katri Kirsi Laura Leena Marika "
    "Marja Mari Minna Mirva Niina Outi Päivi Piia Reetta Riikka Sanna Satu Tiina Tuija Tytti Ulla"
).split()
MEN: Final = (
    "Antti Ari Esa Hannu Harri Ilkka Jani Janne Jarkko Jouni Juha Kalle Kimmo Lasse Marko Markus "
    "Mika Mikko Olli Pasi Petri Pekka Sami Seppo Timo Tommi Tuomas Vesa Ville Yrjö"
).split()
SWEDISH_GIRLS: Final = "Agnes Alva Ebba Edla Elvira Freja Ida Majken Moa Saga Stella Tuva".split()
SWEDISH_BOYS: Final = "Albin Anton Axel Edvin Elis Felix Gustav Ivar Love Nils Sixten Åke".split()
SWEDISH_WOMEN: Final = "Annika Camilla Gun Helena Karin Mona Pernilla Siv Susanne Åsa".split()
SWEDISH_MEN: Final = "Anders Bo Christer Göran Håkan Johan Kaj Mats Peter Sven".split()

_HEADS: Final = (
    "Halla Hete Hopea Huurre Jäkälä Kaarna Kanerva Karpalo Kuulas Käpy Lumi Näre Pihka Routa "
    "Sammal Suvi Terva Tuohi Tähkä Usva Vilja Vaahto Varvikko Ääni"
).split()
_TAILS: Final = (
    "aho harju kangas kallio mäki niitty notko perä puro ranta salmi särkkä vaara viita"
).split()
SURNAMES: Final = tuple(head + tail for head in _HEADS for tail in _TAILS)
SWEDISH_SURNAMES: Final = tuple(
    head + tail
    for head in ("Alm", "Ask", "Björk", "Gran", "Hav", "Ljung", "Löv", "Sjö", "Sten", "Örn")
    for tail in ("brink", "fjärd", "hage", "klint", "lid", "skog", "vret", "åsen")
)

# Nominative, genitive, share of the county's children.
MUNICIPALITIES: Final = (
    ("Kuusela", "Kuuselan", 34),
    ("Hirvilampi", "Hirvilammen", 18),
    ("Saarnikoski", "Saarnikosken", 13),
    ("Tuohiranta", "Tuohirannan", 11),
    ("Pihlajasuo", "Pihlajasuon", 8),
    ("Ketunkangas", "Ketunkankaan", 6),
    ("Vaskiperä", "Vaskiperän", 4),
    ("Björkskär", "Björkskär", 6),
)
SWEDISH_MUNICIPALITY: Final = 7  # the index of the bilingual one
STREETS: Final = (
    "Alppiruusunkuja Harakkapolku Hiirenpolku Huurteentie Jokihelmenkatu Kaarnalaivantie "
    "Kettumäentie Käpytikankuja Lumikellontie Myllynkivenkatu Nuottakuja Oravapolku "
    "Pihkatie Puolukkamättäänkuja Saunavihdantie Suopursunkatu Tervahaudantie Tuulikellontie "
    "Vanhanmyllyntie Yökönpolku"
).split()
SWEDISH_STREETS: Final = "Barkbåtsvägen Ekorrstigen Kottstigen Snöklocksgatan Ugglegränd".split()

PRIMARY_SCHOOLS: Final = ("Kettupolun koulu", "Käpylehdon koulu", "Tuulikellon koulu")
DAY_CARES: Final = ("päiväkoti Oravanpesä", "päiväkoti Pikkupihka", "päiväkoti Tuohivirsu")
COLLEGES: Final = ("Kuuselan seudun lukio", "Kuuselan seudun ammattiopisto")
SWEDISH_SCHOOLS: Final = ("Björkskärs lågstadieskola", "Björkskärs högstadieskola")
SWEDISH_COLLEGE: Final = "Björkskärs gymnasium"
SWEDISH_DAY_CARE: Final = "daghemmet Kotten"

# (organisation, role) of the staff by letter of scenes.yaml; {of} is the municipality's genitive.
POSTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "P": (
        ("Kuuselan seudun poliisi, valvonta ja hälytykset", "vanhempi konstaapeli"),
        ("Kuuselan seudun poliisi, valvonta ja hälytykset", "ylikonstaapeli"),
        ("Kuuselan seudun poliisi, rikostorjunta", "rikoskonstaapeli"),
        ("Kuuselan seudun poliisi, ankkuritiimi", "ankkuripoliisi"),
    ),
    "S": (
        ("", "opettaja"),
        ("", "kuraattori"),
        ("", "rehtori"),
        ("", "erityisopettaja"),
        ("", "koulupsykologi"),
    ),
    "D": (
        ("", "varhaiskasvatuksen opettaja"),
        ("", "lastenhoitaja"),
        ("", "päiväkodin johtaja"),
    ),
    "H": (
        ("{of} kouluterveydenhuolto", "kouluterveydenhoitaja"),
        ("{of} terveysasema", "sairaanhoitaja"),
        ("Kuuselan keskussairaala, päivystys", "lääkäri"),
        ("Kuuselan keskussairaala, lastenpoliklinikka", "sosiaalityöntekijä"),
    ),
    "H small": (
        ("{of} neuvola", "terveydenhoitaja"),
        ("{of} terveysasema", "sairaanhoitaja"),
        ("Kuuselan keskussairaala, lastenpoliklinikka", "lääkäri"),
    ),
    "O": (
        ("Kuuselan hyvinvointialue, aikuissosiaalityö", "sosiaaliohjaaja"),
        ("Kuuselan hyvinvointialue, perheneuvola", "perheneuvoja"),
        ("Kuuselan hyvinvointialue, päihdepalvelut", "päihdetyöntekijä"),
        ("Kuuselan hyvinvointialue, lapsiperheiden kotipalvelu", "perhetyöntekijä"),
        ("Kuuselan hyvinvointialue, sosiaalipäivystys", "sosiaalityöntekijä"),
    ),
}
OTHER_POSTS: Final[dict[str, tuple[str, str]]] = {
    "youth_work": ("{of} nuorisopalvelut", "nuoriso-ohjaaja"),
    "afternoon_activity": ("{of} iltapäivätoiminta", "ohjaaja"),
    "religious_community": ("{of} seurakunta", "nuorisotyönohjaaja"),
    "rescue": ("Kuuselan pelastuslaitos", "palomies-ensihoitaja"),
    "kela": ("Kela, {of} palvelupiste", "palveluneuvoja"),
    "enforcement": ("Kuuselan ulosottotoimipaikka", "ulosottoylitarkastaja"),
    "criminal_sanctions": ("Kuuselan yhdyskuntaseuraamustoimisto", "rikosseuraamustyöntekijä"),
    "reception_centre": ("Hirvilammen vastaanottokeskus", "ohjaaja"),
    "other_mandated": ("Kuuselan palveluyhdistys", "palveluvastaava"),
}
OTHER_COUNTIES: Final = (
    "Hallavuoren hyvinvointialue",
    "Tähkälaakson hyvinvointialue",
    "Sjövikens välfärdsområde",
    "Routarannan hyvinvointialue",
)
CLINICS: Final = (
    "Kuuselan keskussairaala, lastenpsykiatrian poliklinikka",
    "Kuuselan keskussairaala, nuorisopsykiatrian poliklinikka",
    "Kuuselan keskussairaala, nuorisopsykiatrian osasto",
)
HOMES: Final = (
    "Lastenkoti Kanervapirtti",
    "Lastenkoti Näreharju",
    "Nuorisokoti Tuulivaara",
    "Sijaisperheet, pohjoinen",
    "Sijaisperheet, etelä",
    "Vastaanottokoti Suvanto",
)
# Reserved for examples (RFC 2606): mail to these never reaches anybody.
MAIL_DOMAINS: Final = {
    "police": "poliisi.example",
    "education": "koulu.example",
    "early_education": "paivakoti.example",
    "health_care": "terveys.example",
    "social_care": "sosiaali.example",
    "private": "posti.example",
    "guardian": "posti.example",
}
OTHER_MAIL_DOMAIN: Final = "virasto.example"

ANONYMITY_REASONS: Final = {
    "fi": (
        "Pelkään perheen reaktiota.",
        "Asun samassa rapussa enkä halua riitaa.",
        "Olen sukulainen enkä halua välien menevän.",
        "En halua antaa nimeäni.",
    ),
    "sv": ("Jag vill inte att familjen vet vem som har anmält.",),
    "en": ("I live next door and do not want a conflict.",),
}

WEEKDAYS: Final = {
    "fi": (
        "maanantaina tiistaina keskiviikkona torstaina perjantaina lauantaina sunnuntaina"
    ).split(),
    "sv": tuple(
        f"på {day}en" for day in "måndag tisdag onsdag torsdag fredag lördag söndag".split()
    ),
    "en": tuple(
        f"on {day}" for day in "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
    ),
}
SINCE: Final = {
    "fi": (
        "tammikuusta helmikuusta maaliskuusta huhtikuusta toukokuusta kesäkuusta heinäkuusta "
        "elokuusta syyskuusta lokakuusta marraskuusta joulukuusta"
    ).split(),
    "sv": tuple(
        f"sedan {month}"
        for month in (
            "januari februari mars april maj juni juli augusti september oktober november december"
        ).split()
    ),
}

# nominative, genitive, partitive, -lla, -lta, -lle, -sta
CHILD_WORDS: Final = {
    "lapsi": ("lapsi", "lapsen", "lasta", "lapsella", "lapselta", "lapselle", "lapsesta"),
    "oppilas": (
        "oppilas",
        "oppilaan",
        "oppilasta",
        "oppilaalla",
        "oppilaalta",
        "oppilaalle",
        "oppilaasta",
    ),
    "opiskelija": (
        "opiskelija",
        "opiskelijan",
        "opiskelijaa",
        "opiskelijalla",
        "opiskelijalta",
        "opiskelijalle",
        "opiskelijasta",
    ),
    "nuori": ("nuori", "nuoren", "nuorta", "nuorella", "nuorelta", "nuorelle", "nuoresta"),
    "barnet": ("barnet", "barnets"),
    "eleven": ("eleven", "elevens"),
    "ungdomen": ("ungdomen", "ungdomens"),
}
CASES: Final = ("who", "whose", "par", "ade", "abl", "all", "ela")
