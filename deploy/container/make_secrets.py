"""Make the files that compose.yaml takes its secrets from.

``python -m deploy.container.make_secrets``. What exists stays. The folder is closed to others; the
files in it are readable, because the containers' account is another one than yours. A county puts
its own secrets in their place.
"""

import hashlib
import json
import secrets
import sys
from pathlib import Path

from shared.sealing import KeyFile

FOLDER = Path(__file__).resolve().parent.parent.parent / ".luotsi" / "compose"
HOST = "postgres:5432/luotsi"
SERVICES = ("intake", "routing", "notifications")


def make_secrets(folder: Path) -> None:
    """Write every secret that is missing in `folder`; those of one run belong together."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "smtp_password").exists():
        _write(folder, "smtp_password", "the mail server's own; unused without LUOTSI_SMTP_USER")
    if (folder / "keys.json").exists():
        return
    admin, role, desk, source = (secrets.token_urlsafe(24) for _ in range(4))
    _write(folder, "postgres_password", admin)
    _write(folder, "admin_url", f"postgresql://postgres:{admin}@{HOST}")
    _write(folder, "role_password", role)
    for service in SERVICES:
        _write(folder, f"{service}_url", f"postgresql://luotsi_{service}:{role}@{HOST}")
    tokens = {_sha256(desk): "desk", _sha256(source): "school-1"}
    _write(folder, "tokens.json", json.dumps(tokens))
    _write(folder, "desk_token", desk)
    _write(folder, "source_token", source)
    _write(folder, "session_secret", secrets.token_urlsafe(32))
    KeyFile.create(folder / "keys.json")
    (folder / "keys.json").chmod(0o444)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _write(folder: Path, name: str, value: str) -> None:
    file = folder / name
    file.write_text(value, encoding="utf-8")
    file.chmod(0o444)


def main() -> None:
    """Make them where compose.yaml looks, and say where the source's token lies."""
    make_secrets(FOLDER)
    sys.stdout.write(f"Secrets lie in {FOLDER}; school-1 sends with the token in source_token.\n")


if __name__ == "__main__":
    main()
