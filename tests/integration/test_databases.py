"""What one test leaves in its database, the next does not see."""

import asyncpg
import pytest

from deploy.local.postgres import ExistingPostgres, PostgresServer
from tests.databases import Databases

ENTRY = (
    "INSERT INTO routing.audit (actor, act, subject, purpose) VALUES ('a', 'b', 'c', 'd') "
    "RETURNING id"
)


async def test_a_used_database_is_empty_again_and_counts_from_the_start(
    databases: Databases, postgres: PostgresServer | ExistingPostgres
) -> None:
    name = await databases.take()
    left = await asyncpg.connect(postgres.url(name))
    first = await left.fetchval(ENTRY)
    await databases.give_back(name)

    assert name == await databases.take()
    conn = await asyncpg.connect(postgres.url(name))
    assert 0 == await conn.fetchval("SELECT count(*) FROM routing.audit")
    assert first == await conn.fetchval(ENTRY)
    with pytest.raises(asyncpg.RaiseError):
        await conn.execute("DELETE FROM routing.audit")
    await conn.close()
    left.terminate()
    await databases.give_back(name)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE routing.more (id int)",
        "ALTER TABLE routing.audit ADD COLUMN more int",
        "ALTER TABLE routing.audit DISABLE TRIGGER ALL",
        "GRANT SELECT ON routing.audit TO public",
        "DROP INDEX routing.audit_by_subject",
        "DELETE FROM routing.migration",
    ],
)
async def test_a_database_in_which_more_than_rows_has_changed_is_not_used_again(
    databases: Databases, postgres: PostgresServer | ExistingPostgres, change: str
) -> None:
    name = await databases.take()
    conn = await asyncpg.connect(postgres.url(name))
    await conn.execute(change)
    await conn.close()

    await databases.give_back(name)

    other = await databases.take()
    assert name != other
    await databases.give_back(other)
