"""Which tables a person means: `live`, `level@2026-11`, a whole version, a file or a directory."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from services.routing.domain.flow import SPACE
from services.routing.domain.tables import TableName, Tables, TablesRefusedError, compile_tables
from services.routing.domain.tables.loading import faults_of, form_faults, read_newest
from services.routing.domain.tables.versions import Version, VersionNameError
from services.routing.domain.tables.written import NAMES, WrittenTable, newest, read_table
from services.routing.domain.texts import Texts
from shared.events import Language

LIVE, STORED = "live", "stored"


class NotAVersion(Exception):
    """Nobody can tell which tables are meant."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self._said = said

    def in_language(self, language: Language) -> str:
        return f"{self._said}: {_NOT_A_VERSION.in_language(language)}"


class NotLive(Exception):
    """The new tables may not go live, so their effect is not asked for."""

    def __init__(self, refused: TablesRefusedError) -> None:
        super().__init__(str(refused))
        self.refused = refused

    def in_language(self, language: Language) -> str:
        return f"{self.refused.in_language(language)}\n\n{_NOT_LIVE.in_language(language)}"


def old_tables(said: str, rules: Path) -> Tables:
    """The tables that are meant, in form. Raises `NotAVersion` and `TablesRefusedError`."""
    written = _written(said, rules)
    faults = [fault for table in written for fault in form_faults(table, SPACE)]
    if faults:
        raise TablesRefusedError(faults)
    return compile_tables(written, SPACE)


def new_tables(said: str, rules: Path) -> Tables:
    """The tables that are meant, proved. Raises `NotAVersion`, `TablesRefusedError`, `NotLive`."""
    written = _written(said, rules)
    faults = faults_of(written, SPACE)
    if faults:
        raise NotLive(TablesRefusedError(faults))
    return compile_tables(written, SPACE)


def _written(said: str, rules: Path) -> Sequence[WrittenTable]:
    """What is not named is the newest of `rules`."""
    if said == LIVE:
        return read_newest(rules)
    path = Path(said)
    if path.is_dir():
        named = _of_directory(path)
    elif path.is_file():
        named = _of_file(path)
    else:
        named = _of_versions(said, rules)
    return [read_table(named.get(name) or newest(rules, name)) for name in NAMES]


def _of_directory(path: Path) -> Mapping[TableName, Path]:
    found = {name: newest(path, name) for name in NAMES if any((path / name).glob("*.yaml"))}
    if not found:
        raise NotAVersion(str(path))
    return found


def _of_file(path: Path) -> Mapping[TableName, Path]:
    """A rule file says by its directory's name which table it is."""
    found: Mapping[TableName, Path] = {n: path for n in NAMES if n == path.resolve().parent.name}
    if not found:
        raise NotAVersion(str(path))
    return found


def _of_versions(said: str, rules: Path) -> Mapping[TableName, Path]:
    """Settings that a version names are passed over: each case is decided with its own."""
    try:
        version = Version.read(said)
    except VersionNameError:
        raise NotAVersion(said) from None
    found = {name: version.file(name, rules) for name in version.tables}
    if not all(path.is_file() for path in found.values()):
        raise NotAVersion(said)
    return found


_NOT_A_VERSION = Texts(
    fi="ei ole mikään tunnettu versio. Anna live, esimerkiksi level@2026-12, kokonainen versio, "
    "sääntötiedosto (level/2027-01.yaml) tai hakemisto, jossa niitä on.",
    sv="är ingen känd version. Ange live, till exempel level@2026-12, en hel version, en regelfil "
    "(level/2027-01.yaml) eller en katalog med sådana.",
    en="is no version that is known. Give live, for example level@2026-12, a whole version, a rule "
    "file (level/2027-01.yaml) or a directory with such files.",
)
_NOT_LIVE = Texts(
    fi="Uusia taulukoita ei oteta käyttöön, joten niiden vaikutusta ei lasketa.",
    sv="De nya tabellerna tas inte i bruk, så deras verkan räknas inte.",
    en="The new tables do not go live, so their effect is not counted.",
)
