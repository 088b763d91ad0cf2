"""What an export says of itself to whoever opens it years later."""

from collections.abc import Sequence

KNOWN = {
    "intake/event_log.jsonl": "every message that came, with its content as it came (`original`), "
    "its time of receipt, what became of it (`outcome`) and what its source was told (`answers`)",
    "intake/attachment.jsonl": "files sent beside messages; the files lie in intake/attachments, "
    "named by their id. `messages` are the receipts of the messages that name them",
    "intake/child.jsonl": "the random id of each child",
    "intake/child_lookup.jsonl": "keyed hashes by which Luotsi found a child again; of no use "
    "elsewhere. The same is true of every file ending in _lookup or _reference",
    "intake/child_trait.jsonl": "keyed hashes by which Luotsi suggested who may be the same child; "
    "of no use elsewhere",
    "intake/child_apart.jsonl": "children of whom a worker has said that they are two",
    "intake/set_aside.jsonl": "what could not be read or applied at once, and how it was closed",
    "intake/urgent_message.jsonl": "messages whose sender marked immediate danger, kept ahead of "
    "their turn; a week later their original is in intake/event_log.jsonl alone",
    "routing/child_case.jsonl": "one case for each child: what is known (an answer or number not "
    "named there is unknown or 0), urgency, level, holder",
    "routing/notification.jsonl": "each notification about a child; its `id` is the receipt id of "
    "its message and the child's place in it",
    "routing/clock.jsonl": "each statutory clock: when it began, ends, was stopped, and by what",
    "routing/act.jsonl": "what people did, when, and their reasons",
    "routing/decision.jsonl": "each screening by the rules, with its facts, rows, version and what "
    "could still change it",
    "routing/rule_effect.jsonl": "what other rules would have said of the stored cases, where "
    "somebody kept it",
    "routing/proposal.jsonl": "destinations that were proposed, and what was answered",
    "routing/duty_item.jsonl": "what stood before the duty desk besides notifications",
    "routing/unanswered.jsonl": "which notifications a task about unanswered questions was about",
    "routing/worker.jsonl": "staff",
    "routing/client.jsonl": "what the client information system said of a child",
    "routing/event_log.jsonl": "every signal that routing took: the person's card and the text as "
    "they were shown at the desk, and the events that it answered with",
    "notifications/notice.jsonl": "what was told to whom, when, and whether it got there",
    "notifications/event_log.jsonl": "every event that notifications took",
}
EVERYWHERE = {
    "audit": "who read or did what, and why; rows are never changed",
    "door": "the ways in that rows of the event log name",
    "set_aside": "what could not be applied at once",
    "source_offset": "how far each partition was consumed",
    "outbox": "what had not left yet",
    "parked_key": "what waited behind something that could not be applied",
    "migration": "the versions of the tables",
}

HEAD = """Luotsi: everything that a county's installation held

Each .jsonl file is one table: one line of JSON for each row, UTF-8, times in UTC. Names and texts
that were sealed in the database are opened. Where a part has been erased, {"erased": true} stands
in its place. Bytes that are no text are {"base64": "..."}.

manifest.json  how many rows and lines each file has; "complete" says whether all is there.
               Without this file the export was interrupted: do not use it.
SHA256SUMS     the sum of every file: sha256sum -c SHA256SUMS

This holds personal data that the law keeps secret. Keep it encrypted, and delete copies.

"""


def readme(files: Sequence[str]) -> str:
    """The text for these files."""
    return HEAD + "".join(f"{name}\n    {_what(name)}\n" for name in files)


def _what(name: str) -> str:
    table = name.rpartition("/")[2].removesuffix(".jsonl")
    return KNOWN.get(name) or EVERYWHERE.get(table) or f"the rows of table {table}"
