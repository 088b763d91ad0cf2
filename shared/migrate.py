"""Forward-only SQL migrations: one schema and one role per service, plus the `keys` schema.

Each file runs in one transaction; its SHA-256 is recorded and an edited file is refused.
Several runners at once apply each file once (advisory lock). Run it with an account that may
create schemas and roles: ``python -m shared.migrate``.
"""

import asyncio
import hashlib
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.settings import MigrationSettings

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("intake", "routing", "notifications")
LOCK = 7_204_115  # any number, the same in every runner


class EditedMigrationError(Exception):
    """A file that was applied before has other content now: write a new file instead."""


def files(schema: str) -> list[Path]:
    """The schema's migrations, in order."""
    base = (
        ROOT / "shared/migrations/keys"
        if schema == "keys"
        else ROOT / f"services/{schema}/migrations"
    )
    return sorted(base.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def head(schema: str) -> str:
    """The name of the newest migration a running service expects."""
    return files(schema)[-1].stem


def service_url(admin_url: str, service: str, password: str) -> str:
    """The service's own login on the same server and database."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"luotsi_{service}:{password}@{host}"))


class NoPasswordError(Exception):
    """A service's role is not there yet and no password was given to make it with."""


async def migrate_all(
    admin_url: str, role_password: str | None, *, renew: bool = False
) -> list[str]:
    """Bring every schema to its head; returns the files applied, as ``schema/name``.

    Roles belong to the whole server: one that exists keeps its password unless `renew` says
    otherwise. Raises `EditedMigrationError`, and `NoPasswordError` before anything is changed.
    """
    conn = await asyncpg.connect(admin_url)
    try:
        await conn.execute("SET lock_timeout = '60s'")
        await conn.execute(f"SELECT pg_advisory_lock({LOCK})")
        for service in SERVICES:
            await _role(conn, f"luotsi_{service}", role_password, renew=renew)
        await _role(conn, "luotsi_erasure", role_password, renew=renew)
        applied = await _schema(conn, "keys", [f"luotsi_{s}" for s in SERVICES], "SELECT, INSERT")
        await conn.execute("GRANT USAGE ON SCHEMA keys TO luotsi_erasure")
        await conn.execute("GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA keys TO luotsi_erasure")
        for service in SERVICES:
            rights = "SELECT, INSERT, UPDATE, DELETE"
            applied += await _schema(conn, service, [f"luotsi_{service}"], rights)
            await conn.execute(f"REVOKE UPDATE, DELETE ON {service}.audit FROM luotsi_{service}")
        return applied
    finally:
        await conn.close()


async def _role(conn: asyncpg.Connection, name: str, password: str | None, *, renew: bool) -> None:
    exists = await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    if exists and not (renew and password):
        return
    if not password:
        raise NoPasswordError(f"the role {name} is not there: give LUOTSI_ROLE_PASSWORD")
    quoted = password.replace("'", "''")
    verb = "ALTER" if exists else "CREATE"
    await conn.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{quoted}'")


async def _schema(
    conn: asyncpg.Connection, schema: str, roles: list[str], rights: str
) -> list[str]:
    await conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for role in roles:
        await conn.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        for kind, right in (("TABLES", rights), ("SEQUENCES", "USAGE, SELECT")):
            await conn.execute(
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {right} ON {kind} TO {role}"
            )
    await conn.execute(
        f"CREATE TABLE IF NOT EXISTS {schema}.migration (name text PRIMARY KEY, "
        "sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    done = {r["name"]: r["sha256"] for r in await conn.fetch(f"SELECT * FROM {schema}.migration")}
    applied = []
    for file in files(schema):
        text = file.read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        if file.stem in done:
            if done[file.stem] != digest:
                raise EditedMigrationError(f"{schema}/{file.name} was edited after it was applied")
            continue
        async with conn.transaction():
            await conn.execute(f"SET LOCAL search_path = {schema}")
            await conn.execute("SET LOCAL lock_timeout = '4s'")
            await conn.execute(text)
            await conn.execute(
                f"INSERT INTO {schema}.migration (name, sha256) VALUES ($1, $2)", file.stem, digest
            )
        applied.append(f"{schema}/{file.stem}")
    return applied


def main() -> None:
    """Migrate the database of LUOTSI_DATABASE_URL and say what was applied."""
    settings = MigrationSettings()
    given = settings.role_password
    password = None if given is None else given.get_secret_value()
    url = settings.database_url.get_secret_value()
    try:
        applied = asyncio.run(migrate_all(url, password, renew=True))
    except (NoPasswordError, EditedMigrationError) as error:
        sys.exit(f"Not migrated: {error}.")
    sys.stdout.write("\n".join(applied) + "\n" if applied else "nothing to do: all at head\n")


if __name__ == "__main__":
    main()
