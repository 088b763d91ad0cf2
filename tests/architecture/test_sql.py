"""SQL stands in files named store.py, in migrations and in their runner."""

import ast
import re

import pytest

from shared.migrate import SERVICES, files
from tests.architecture.source import ROOT, modules, strings

STATEMENT = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+.*\sSET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s"
    r"|(CREATE|ALTER|DROP|TRUNCATE)\s+\w+|GRANT\s|REVOKE\s|LOCK\s+TABLE|COPY\s+\w+\s)",
    re.DOTALL,
)


def allowed(name: str) -> bool:
    return name.endswith("/store.py") or "/store/" in name or name == "shared/migrate.py"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM b", "\n   INSERT INTO a (b) VALUES ($1)", "UPDATE a SET b = 1",
        "DELETE FROM a", "WITH a AS (SELECT 1) SELECT * FROM a", "CREATE TABLE a (b int)",
    ],
)  # fmt: skip
def test_a_statement_is_known_as_one(text: str) -> None:
    assert STATEMENT.match(text)


@pytest.mark.parametrize("text", ["Select a worker", "Update of a case", "SELECT 1", "with a"])
def test_plain_words_and_a_ping_are_not(text: str) -> None:
    assert not STATEMENT.match(text)


def test_no_other_file_holds_sql() -> None:
    found = [
        (name, text.strip()[:60])
        for name, tree in modules("services", "shared").items()
        if not allowed(name)
        for text in strings(tree)
        if STATEMENT.match(text)
    ]

    assert [] == found


def test_a_statement_is_put_together_from_constants_of_its_file_only() -> None:
    found = [
        (name, ast.unparse(part.value))
        for name, tree in modules("services", "shared").items()
        if name != "shared/migrate.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        and any(STATEMENT.match(ast.literal_eval(p)) for p in node.values if _is_text(p))
        for part in node.values
        if isinstance(part, ast.FormattedValue) and not _is_constant(part.value)
    ]

    assert [] == found


def _is_text(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and isinstance(part.value, str)


def _is_constant(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id.isupper()


def test_every_service_starts_with_the_same_messaging_tables() -> None:
    first = {files(service)[0].name for service in SERVICES}
    texts = {files(service)[0].read_bytes() for service in SERVICES}

    assert {"0001_messaging.sql"} == first
    assert 1 == len(texts)


# Numbers given to changes that are under way. Take a number out when its change has landed: a
# release has no gap, because a process waits for the newest name only.
UNDER_WAY: dict[str, set[int]] = {}


@pytest.mark.parametrize("schema", ["keys", *SERVICES])
def test_migrations_are_numbered_once_and_without_gaps(schema: str) -> None:
    numbers = [int(file.name[:4]) for file in files(schema)]
    missing = set(range(1, numbers[-1] + 1)) - set(numbers)

    assert sorted(set(numbers)) == numbers
    assert missing <= UNDER_WAY.get(schema, set())


@pytest.mark.parametrize("service", SERVICES)
def test_every_migration_is_found_by_the_runner(service: str) -> None:
    folder = ROOT / "services" / service / "migrations"

    assert sorted(folder.iterdir()) == files(service)
