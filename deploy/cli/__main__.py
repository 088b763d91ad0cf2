"""``python -m deploy.cli``, or ``./luotsi`` in the checkout."""

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from deploy.cli import sources
from deploy.cli.absence_file import NotAFile
from deploy.cli.cannot import cannot
from deploy.cli.check import NotTaken, check_event
from deploy.cli.export import NotExported, export_all
from deploy.cli.import_absences import NotAllTaken, NotSent, import_absences
from deploy.cli.import_matters import NotImported, import_file
from deploy.cli.rule_drafts import DRAFTS, DraftNotLive, Import, import_rules
from deploy.cli.rule_sheets import NotCarried, export_rules
from deploy.cli.rules import NotLive, check_rules
from deploy.cli.rules_effect import NEEDS, VERSIONS, Asked, NotDone, rules_diff, rules_replay
from deploy.cli.settings import CommandSettings
from deploy.cli.where import Unanswered, Unknown, render, where
from shared.events import Language
from shared.kinds import BY_NAME


def main(words: list[str] | None = None) -> int:
    """Run the command; 0: done, found or valid, 1: not, 2: nobody answered or there is no file."""
    found = _parser().parse_args(words)
    try:
        told = _run(found)
    except (
        NotAllTaken,
        NotImported,
        NotExported,
        NotLive,
        NotDone,
        NotCarried,
        DraftNotLive,
    ) as error:
        sys.stdout.write(f"{error}\n")
        return 1
    except (Unknown, NotTaken, NotAFile, sources.NotDone) as error:
        return _failed(str(error), 1)
    except NotSent as error:
        return _failed(f"{error}.", 2)
    except Unanswered as error:
        return _failed(f"{error}. Start it, or set LUOTSI_INTAKE_URL.", 2)
    except OSError as error:
        return _failed(cannot(error, getattr(found, "language", "en")), 2)
    sys.stdout.write(told + "\n")
    return 0


def _run(found: argparse.Namespace) -> str:
    if found.command == "check-event":
        return check_event(found.file, found.kind)
    if found.command == "import-matters":
        return import_file(found.file, found.source, found.worker, run=found.run)
    if found.command == "export":
        return export_all(found.directory, found.by, found.why)
    if found.command == "rules":
        return _of_rules(found)
    return _asked(found)


def _of_rules(found: argparse.Namespace) -> str:
    """What is done with files of rules, and with the cases that were decided by them."""
    if found.what == "diff":
        return rules_diff(Asked(found.old, found.new, found.language, found.list, found.keep))
    if found.what == "replay":
        return rules_replay(found.language, found.list)
    if found.what == "export":
        return export_rules(found.file, found.version, found.rules, found.language)
    if found.what == "import":
        asked = {name: getattr(found, name) for name in Import._fields}
        return import_rules(Import(**asked), found.language)
    return check_rules(found.directory, found.language, shares=found.shares)


def _asked(found: argparse.Namespace) -> str:
    """What the services answer."""
    settings = CommandSettings()
    if found.command == "import-absences":
        return import_absences(settings, found.file, found.source, check=found.check)
    if found.command == "where":
        return render(where(settings, found.source_id))
    return _by_worker(found, settings)


def _by_worker(found: argparse.Namespace, settings: CommandSettings) -> str:
    if found.command == "sources":
        return sources.sources(settings, found.worker)
    if found.command == "missing":
        return sources.missing(settings, found.worker, found.source)
    if found.command == "pause":
        return sources.pause(settings, found.worker, found.source, found.why)
    if found.command == "resume":
        return sources.resume(settings, found.worker, found.source)
    filters = {name: getattr(found, name) for name in ("source", "reason", "since", "until")}
    return sources.redrive(settings, found.worker, filters, dry_run=found.dry_run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="luotsi", description="For operators and integrators.")
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("where", help="each hop, time and state of one message")
    asked.add_argument("source_id", metavar="SOURCE-ID", help="the id its source gave it (ce_id)")
    checked = commands.add_parser("check-event", help="whether intake would take a file")
    checked.add_argument("file", metavar="FILE", type=Path, help="the content, or a whole event")
    checked.add_argument(
        "--kind", choices=BY_NAME, default="notification", help="what the content is"
    )
    sent = commands.add_parser(
        "import-absences", help="check and send a file of schools' absence signals",
        description="With the source's token in LUOTSI_TOKEN; docs/integration.md has the columns.",
    )  # fmt: skip
    sent.add_argument("file", metavar="FILE", type=Path, help="CSV with a header row, UTF-8")
    sent.add_argument("--source", required=True, help="whose token it is")
    sent.add_argument("--check", action="store_true", help="send nothing")
    _import(commands)
    _export(commands)
    _rules(commands)
    _for_worker(commands, "sources", "each source: its state, what came from it, what is held")
    lacking = _for_worker(commands, "missing", "what a source sent and what has not arrived")
    lacking.add_argument("source", metavar="SOURCE")
    paused = _for_worker(commands, "pause", "hold what a source sends")
    paused.add_argument("source", metavar="SOURCE")
    paused.add_argument("--why", required=True, help="a few words, nothing about a person")
    resumed = _for_worker(commands, "resume", "let a source go on, first with what is held")
    resumed.add_argument("source", metavar="SOURCE")
    again = _for_worker(commands, "redrive", "take what was set aside again, the oldest first")
    again.add_argument("--source", help="only what this source sent")
    again.add_argument("--reason", help="only what was set aside for this reason (docs/errors.md)")
    again.add_argument("--since", type=sources.moment, metavar="T", help="received at T or later")
    again.add_argument("--until", type=sources.moment, metavar="T", help="received before T")
    again.add_argument("--dry-run", action="store_true", help="only count")
    return parser


def _import(commands: Any) -> None:
    what = "open matters of the system before, with their receipt times and acts"
    about = (
        f"Imports {what}; without --run it only says what it would do. The source's token stands "
        "in LUOTSI_TOKEN. See docs/operations.md."
    )
    parser = commands.add_parser("import-matters", help=what, description=about)
    parser.add_argument("file", metavar="FILE", type=Path, help="JSON Lines, one open matter each")
    parser.add_argument("--source", required=True, metavar="NAME", help="the token's source")
    parser.add_argument("--run", action="store_true", help="send and record; may be run again")
    parser.add_argument("--worker", metavar="ID", help="who records the acts at the desk")


def _export(commands: Any) -> None:
    what = "everything that Luotsi holds, opened, for a county that leaves"
    about = (
        f"Writes {what}. Needs LUOTSI_DATABASE_URL with an account that may read every schema, and "
        "LUOTSI_KEY_FILE; noted in each service's audit trail. See docs/operations.md."
    )
    parser = commands.add_parser("export", help=what, description=about)
    parser.add_argument("directory", metavar="DIRECTORY", type=Path, help="a new one")
    parser.add_argument("--by", required=True, metavar="ID", help="who does it, for the audit")
    parser.add_argument("--why", required=True, help="a few words, nothing about a person")


def _rules(commands: Any) -> None:
    parser = commands.add_parser("rules", help="the decision tables of the screen")
    of_rules = parser.add_subparsers(dest="what", required=True, parser_class=_InAnyOrder)
    what = "prove the newest version of each table; names file, row and a child where one fails"
    checked = of_rules.add_parser("check", help=what, description=what)
    checked.add_argument(
        "directory", metavar="DIRECTORY", type=Path, nargs="?", help="the shipped one unless given"
    )
    checked.add_argument("--language", choices=get_args(Language), default="en")
    shares = checked.add_mutually_exclusive_group()
    shares.add_argument(
        "--without-shares", dest="shares", action="store_const", const="left out",
        default="measured",
        help="leave out what they make of the sample county's year, which takes some seconds",
    )  # fmt: skip
    shares.add_argument(
        "--write-shares",
        dest="shares",
        action="store_const",
        const="written",
        help="write the file about it that a new version lacks, for its owner to complete",
    )
    _rules_effect(of_rules)
    _rule_sheets(of_rules)


def _rules_effect(of_rules: Any) -> None:
    what = "what other rules would say of every stored case, and each that would become lighter"
    parser = of_rules.add_parser(
        "diff", help=what, description=f"Tells {what}. {VERSIONS} {NEEDS}, but for --keep."
    )
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument(
        "--keep", action="store_true", help="keep the effect, for supervisors to read at the desk"
    )
    _told(parser, "each case that is to be read")
    what = "decide every stored decision anew by its own version, and name those that differ"
    parser = of_rules.add_parser("replay", help=what, description=f"{what.capitalize()}. {NEEDS}.")
    _told(parser, "each decision that differs")


def _told(parser: argparse.ArgumentParser, what: str) -> None:
    about = f"a new CSV file for {what}"
    parser.add_argument("--list", metavar="FILE", type=Path, help=about)
    parser.add_argument("--language", choices=get_args(Language), default="en")


class _InAnyOrder(argparse.ArgumentParser):
    """Takes `FILE --as VERSION DIRECTORY`, too: argparse alone has done with what stands apart."""

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `parse_known_intermixed_args`, which asks for the plain way itself."""
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def _rule_sheets(of_rules: Any) -> None:
    what = "a version of the tables as a spreadsheet (.xlsx) to edit, or as a DMN model (.dmn)"
    written = of_rules.add_parser("export", help=what, description=what)
    written.add_argument("file", metavar="FILE", type=Path, help="a new one, .xlsx or .dmn")
    written.add_argument("--version", help="as decisions store it, or 2026-12; the newest if not")
    what = "an edited spreadsheet as a draft, and check it; the rules in force stay as they are"
    read = of_rules.add_parser("import", help=what, description=what)
    read.add_argument("file", metavar="FILE.xlsx", type=Path)
    read.add_argument("--as", dest="version", metavar="VERSION", required=True, help="2027-01")
    read.add_argument(
        "directory", metavar="DIRECTORY", type=Path, nargs="?", help=f"{DRAFTS}/VERSION if not"
    )
    read.add_argument("--replace", action="store_true", help="a draft that is there already")
    for parser, rules in ((written, "where they are read"), (read, "what it was exported from")):
        parser.add_argument(
            "--from", dest="rules", metavar="RULES", type=Path,
            help=f"{rules}: a directory of rules, the shipped one unless given",
        )  # fmt: skip
        parser.add_argument("--language", choices=get_args(Language), default="en")


def _for_worker(commands: Any, name: str, what: str) -> argparse.ArgumentParser:
    """A command of a worker: it needs the desk's token and is audited in the worker's name."""
    about = f"{what}; with the desk's token in LUOTSI_INTAKE_TOKEN"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=about)
    parser.add_argument("--worker", required=True, metavar="ID", help="who does it, for the audit")
    return parser


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"luotsi: {why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
