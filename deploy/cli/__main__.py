"""``python -m deploy.cli``, or ``./luotsi`` in the checkout."""

import argparse
import sys

from deploy.cli.settings import CommandSettings
from deploy.cli.where import Unanswered, Unknown, render, where


def main(words: list[str] | None = None) -> int:
    """Run the command; 0 when it found what was asked for, 1 when not, 2 when nobody answered."""
    parser = argparse.ArgumentParser(prog="luotsi", description="Ask the running services.")
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("where", help="each hop, time and state of one message")
    asked.add_argument("source_id", metavar="SOURCE-ID", help="the id its source gave it (ce_id)")
    found = parser.parse_args(words)
    try:
        sys.stdout.write(render(where(CommandSettings(), found.source_id)) + "\n")
    except Unknown as error:
        sys.stderr.write(f"luotsi: {error}\n")
        return 1
    except Unanswered as error:
        sys.stderr.write(f"luotsi: {error}. Start it, or set LUOTSI_INTAKE_URL.\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
