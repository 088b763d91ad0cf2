"""Writes the checked-in contracts: ``make contracts``.

``schemas/``: JSON Schema of every topic's value. ``asyncapi.json``: all topics, who sends and who
reads. ``openapi.<program>.json``: the HTTP interfaces. ``released/v1/`` is what sources and
running services rely on; ``python -m tests.contract.generate --release`` renews it with a release
and adds only (a test compares). ``docs/errors.md``: every reason a source can be told.
``docs/examples/open-matter.schema.json``: a line of what ``luotsi import-matters`` reads.
``docs/rules``: the newest version of the rules in words, in three languages.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.golive.line import OpenMatter
from services.intake.domain.refusals import ATTACHMENT_REFUSALS, REFUSALS, Refusal
from shared.contract import asyncapi, event_schemas
from tests.contract import apps
from tests.contract.tables import PAGES, tables_page

HERE = Path(__file__).resolve().parent
ERRORS = HERE.parents[1] / "docs" / "errors.md"
OPEN_MATTER = HERE.parents[1] / "docs" / "examples" / "open-matter.schema.json"
RELEASED = HERE / "released" / "v1"
WITH_OPENAPI = ("intake", "desk")


def contracts() -> dict[str, Any]:
    """Every contract, by its file's name below this folder."""
    found: dict[str, Any] = {f"schemas/{k}.v1.json": v for k, v in event_schemas().items()}
    found["asyncapi.json"] = asyncapi()
    for program in apps.programs():
        if program in WITH_OPENAPI:
            found[f"openapi.{program}.json"] = apps.build(program).openapi()
    return found


def text_of(document: Any) -> str:
    """As it is checked in: in the order of the models, so that a diff reads like their diff."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write(directory: Path) -> list[str]:
    """Write what differs; returns its names."""
    changed = []
    for name, document in contracts().items():
        file = directory / name
        if not file.exists() or file.read_text(encoding="utf-8") != text_of(document):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text_of(document), encoding="utf-8")
            changed.append(name)
    return changed


def errors() -> str:
    """The catalogue of what a source can be told, as a page."""
    return (
        "# Why a message was not taken\n\n"
        "Made by `make contracts` from `services/intake/domain/refusals.py`. The reason stands in "
        "the answer on\n`luotsi.intake.receipt.v1`, in `GET /v1/messages/…` and, over HTTP, in "
        "the problem's `type`. `mend` of an answer says\nin addition what was found and where, "
        "never a value. A message that arrived was kept, whatever the reason. An\nenvelope that "
        "does not even tell an id is answered 400 over HTTP.\n\n" + _table(REFUSALS) + "\n"
        "# Why a file was not taken\n\n"
        "Answers of `POST /v1/attachments`. **A file that is refused is not kept**, and nobody at "
        "the county sees it: mend it and\nsend it again, or send the message without it. A "
        "message is never refused for a file: one that names a file which\nyour source has not "
        "sent is accepted without it; its receipt has the note `attachment-unknown` and says in "
        "`mend` which.\n\n" + _table(ATTACHMENT_REFUSALS)
    )


def open_matter() -> str:
    """The schema of a line of open matters."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return text_of(schema | OpenMatter.model_json_schema())


def _table(refusals: Sequence[Refusal]) -> str:
    return "| Reason | HTTP | Cause | Mend |\n| --- | --- | --- | --- |\n" + "".join(
        f"| `{each.reason}` | {each.status} | {each.cause} | {each.mend} |\n" for each in refusals
    )


def _write_rules() -> list[str]:
    changed = []
    for language, page in PAGES.items():
        text = tables_page(language)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
            changed.append(f"docs/rules/{page.name}")
    return changed


def main() -> None:
    """Renew the contracts, and with --release what is promised."""
    changed = write(HERE)
    if not ERRORS.exists() or ERRORS.read_text(encoding="utf-8") != errors():
        ERRORS.write_text(errors(), encoding="utf-8")
        changed.append("docs/errors.md")
    if not OPEN_MATTER.exists() or OPEN_MATTER.read_text(encoding="utf-8") != open_matter():
        OPEN_MATTER.write_text(open_matter(), encoding="utf-8")
        changed.append("docs/examples/open-matter.schema.json")
    changed += _write_rules()
    if "--release" in sys.argv[1:]:
        changed += [f"released/v1/{name}" for name in write(RELEASED)]
    sys.stdout.write("\n".join(changed or ["nothing to do: all contracts are as the code"]) + "\n")


if __name__ == "__main__":
    main()
