"""Migrations and rights on a real PostgreSQL."""

from pathlib import Path

import asyncpg
import pytest

from services.intake.groups import in_turn
from shared import events, migrate
from shared.migrate import (
    EditedMigrationError,
    NoPasswordError,
    _role,
    migrate_all,
    service_url,
)


async def test_a_second_run_has_nothing_to_do_and_leaves_passwords_alone(
    database_url: str,
) -> None:
    assert await migrate_all(database_url, None) == []
    assert await migrate_all(database_url, "another") == []

    conn = await asyncpg.connect(service_url(database_url, "intake", "luotsi"))
    await conn.close()


async def test_a_missing_role_is_not_made_with_a_password_anybody_knows(database_url: str) -> None:
    conn = await asyncpg.connect(database_url)
    try:
        with pytest.raises(NoPasswordError, match="LUOTSI_ROLE_PASSWORD"):
            await _role(conn, "luotsi_nobody", None, renew=True)
    finally:
        await conn.close()


async def test_an_edited_migration_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = tmp_path / "0001_messaging.sql"
    edited.write_text("SELECT 1; -- changed")
    original = migrate.files

    def changed(schema: str) -> list[Path]:
        return [edited, *original(schema)[1:]] if schema == "intake" else original(schema)

    monkeypatch.setattr(migrate, "files", changed)

    with pytest.raises(EditedMigrationError, match=r"intake/0001_messaging\.sql"):
        await migrate_all(database_url, None)


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("routing", "SELECT * FROM intake.child_lookup"),
        ("notifications", "SELECT * FROM routing.child_case"),
        ("intake", "DELETE FROM keys.data_key"),
        ("intake", "UPDATE keys.data_key SET wrapped = ''"),
        ("intake", "UPDATE intake.audit SET actor = 'x'"),
        ("routing", "DELETE FROM routing.audit"),
        ("routing", "TRUNCATE routing.act"),
    ],
)
async def test_a_service_may_not(database_url: str, service: str, statement: str) -> None:
    conn = await asyncpg.connect(service_url(database_url, service, "luotsi"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)
    finally:
        await conn.close()


@pytest.mark.parametrize("table", ["routing.act", "routing.audit", "intake.audit"])
async def test_not_even_the_owner_changes_what_is_only_added_to(
    database_url: str, table: str
) -> None:
    conn = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.RaiseError, match="never changed or deleted"):
            await conn.execute(f"DELETE FROM {table}")  # noqa: S608 -- names of this test
    finally:
        await conn.close()


async def test_a_topic_whose_group_is_renamed_keeps_what_came_through_its_door(
    database_url: str,
) -> None:
    conn = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    try:
        for grp, topic in (("c1.intake", events.INTAKE_ABSENCE), ("http", "/v1/notifications")):
            await conn.execute(
                "INSERT INTO door (grp, cluster, topic) VALUES ($1, 'one', $2)", grp, topic
            )
        (renaming,) = [f for f in migrate.files("intake") if "group_per_topic" in f.name]
        await conn.execute(renaming.read_text(encoding="utf-8"))

        doors = await conn.fetch("SELECT grp, topic FROM door WHERE cluster = 'one' ORDER BY id")
    finally:
        await conn.close()

    assert [
        (f"c1.{in_turn(events.INTAKE_ABSENCE)}", events.INTAKE_ABSENCE),
        ("http", "/v1/notifications"),
    ] == [tuple(door) for door in doors]
