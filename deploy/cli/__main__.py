"""``python -m deploy.cli``, or ``./luotsi`` in the checkout."""

import argparse
import sys
from pathlib import Path

from deploy.cli.check import NotTaken, check_event
from deploy.cli.settings import CommandSettings
from deploy.cli.where import Unanswered, Unknown, render, where
from shared.kinds import BY_NAME


def main(words: list[str] | None = None) -> int:
    """Run the command; 0: found or valid, 1: not, 2: nobody answered or there is no such file."""
    parser = argparse.ArgumentParser(prog="luotsi", description="For operators and integrators.")
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("where", help="each hop, time and state of one message")
    asked.add_argument("source_id", metavar="SOURCE-ID", help="the id its source gave it (ce_id)")
    checked = commands.add_parser("check-event", help="whether intake would take a file")
    checked.add_argument("file", metavar="FILE", type=Path, help="the content, or a whole event")
    checked.add_argument(
        "--kind", choices=BY_NAME, default="notification", help="what the content is"
    )
    found = parser.parse_args(words)
    try:
        told = (
            check_event(found.file, found.kind)
            if found.command == "check-event"
            else render(where(CommandSettings(), found.source_id))
        )
    except (Unknown, NotTaken) as error:
        return _failed(str(error), 1)
    except Unanswered as error:
        return _failed(f"{error}. Start it, or set LUOTSI_INTAKE_URL.", 2)
    except OSError as error:
        return _failed(f"{error.filename} cannot be read: {error.strerror}", 2)
    sys.stdout.write(told + "\n")
    return 0


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"luotsi: {why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
