"""What a command says of a file or a directory that it cannot use."""

from collections.abc import Mapping

from services.routing.domain.texts import Texts
from shared.events import Language


def cannot(error: OSError, language: Language) -> str:
    """The file's name, and why; in the system's own English where we have no words for it."""
    why = next((said for kind, said in _WHY.items() if isinstance(error, kind)), None)
    if why is None:
        return f"{error.filename}: {error.strerror}"
    return f"{error.filename}: {why.in_language(language)}"


_WHY: Mapping[type[OSError], Texts] = {
    FileNotFoundError: Texts(
        fi="tätä ei ole; tarkista nimi ja hakemisto",
        sv="finns inte; kontrollera namnet och katalogen",
        en="there is no such file or directory; check the name",
    ),
    NotADirectoryError: Texts(
        fi="tämä ei ole hakemisto; nimeä hakemisto",
        sv="är ingen katalog; ange en katalog",
        en="it is no directory; name one",
    ),
    IsADirectoryError: Texts(
        fi="tämä on hakemisto; nimeä tiedosto",
        sv="är en katalog; ange en fil",
        en="it is a directory; name a file",
    ),
    PermissionError: Texts(
        fi="tähän ei ole oikeuksia",
        sv="du har inte rätt till detta",
        en="you may not read or write it",
    ),
    FileExistsError: Texts(
        fi="tämä on jo olemassa; nimeä toinen",
        sv="finns redan; ange en annan",
        en="it is there already; name another",
    ),
}
