"""The history checker: what was published, against everything that came of it.

Run after a fault, when nothing is on its way any more (`settled`). It reads all topics from their
beginning and all tables as the database's owner, and trusts no number that a service counted.
"""

import asyncio
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.system import APPS, RunningService, System
from services.intake.groups import in_turn
from shared import events, store
from shared.kinds import FEEDS, MANIFEST, WITHDRAWAL
from shared.publisher import partition_of
from tests import system as do

Record = ConsumerRecord[bytes, bytes]
Row = asyncpg.Record

GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "intake": {in_turn(topic): (topic,) for topic in events.INBOUND_TOPICS},
    "routing": {
        "routing-signal": (events.SIGNAL,),
        "routing-notice": (events.NOTICE,),
        "routing-urgent": (events.URGENT,),
    },
    "notifications": {
        "notifications-signal": (events.SIGNAL,),
        "notifications-case": (events.CASE,),
    },
}
"""Consumer groups of each service's schema -> the topics they read."""

WITHOUT_CHILDREN = {kind.type for kind in (MANIFEST, WITHDRAWAL, *FEEDS)}
Name = tuple[str, str]  # source, and its id of a message
Place = tuple[str, int, int]  # topic, partition, offset

CLOCKS = {"urgency", "assessment_start", "family_told", "assessment_finish"}
AWAY = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def services_of(system: System) -> list[str]:
    """The schemas that have a consumer in this system, in the order of an event's way."""
    used = {APPS[running.program][0] for running in system.services.values()}
    return [schema for schema in GROUPS if schema in used]


# --- nothing on its way any more ------------------------------------------------------------------


async def settled(system: System, seconds: float = 120.0) -> float:
    """Wait until every group has read to the end and no outbox holds anything.

    Returns the seconds it took. Asked twice: what one service says last, the next must read.
    """
    started = time.monotonic()
    last: object = None
    quiet = 0
    while time.monotonic() - started < seconds:
        try:
            last = await on_the_way(system)
        except AWAY as error:
            last, quiet = error, 0
        else:
            quiet = 0 if last else quiet + 1
            if quiet == 2:
                return time.monotonic() - started
        await asyncio.sleep(0.2)
    raise AssertionError(f"after {seconds} s there is still something on its way: {last!r}")


async def on_the_way(system: System) -> dict[str, int]:
    """What is not done: records not acknowledged per group, rows per outbox."""
    found: dict[str, int] = {}
    for schema in services_of(system):
        for group, topics in GROUPS[schema].items():
            done = await committed(system, group)
            for topic in topics:
                for tp, end in (await end_offsets(system, topic)).items():
                    if end > done.get(tp, 0):
                        found[group] = found.get(group, 0) + end - done.get(tp, 0)
        waiting = await of(system, schema, "SELECT count(*) AS n FROM outbox")
        if waiting[0]["n"]:
            found[f"{schema}.outbox"] = waiting[0]["n"]
    return found


async def of(system: System, schema: str, query: str) -> list[Row]:
    """Rows of one service's schema, as the database's owner sees them."""
    conn = await asyncpg.connect(system.admin_url, server_settings={"search_path": schema})
    try:
        return list(await conn.fetch(query))
    finally:
        await conn.close()


async def committed(system: System, group: str) -> dict[TopicPartition, int]:
    """How far a group has acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    try:
        await admin.start()
        found = await admin.list_consumer_group_offsets(system.prefix + group)
    finally:
        await admin.close()
    return {tp: meta.offset for tp, meta in found.items()}


async def end_offsets(
    system: System, topic: str, partitions: int = events.PARTITIONS
) -> dict[TopicPartition, int]:
    """Where each partition of a topic ends."""
    consumer = AIOKafkaConsumer(bootstrap_servers=system.bootstrap)
    try:
        await consumer.start()
        name = system.prefix + topic
        ends: dict[TopicPartition, int] = await consumer.end_offsets(
            [TopicPartition(name, p) for p in range(partitions)]
        )
        return ends
    finally:
        await consumer.stop()


# --- I1 as the running processes tell it ----------------------------------------------------------


def metric(service: RunningService, name: str) -> dict[str, float]:
    """The samples of one metric of a running process, by topic."""
    with urllib.request.urlopen(f"{service.url}/metrics", timeout=5) as page:  # noqa: S310 -- ours
        text = page.read().decode()
    return {
        sample.labels.get("topic", ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


async def told_unaccounted(system: System) -> dict[str, dict[str, float]]:
    """`luotsi_unaccounted` of every running process that consumes."""
    told = {}
    for name, running in system.services.items():
        if running.process.pid is not None and APPS[running.program][0] in GROUPS:
            told[name] = await asyncio.to_thread(metric, running, "luotsi_unaccounted")
    return told


async def nothing_unaccounted(system: System, seconds: float = 60.0) -> None:
    """Wait until every running process tells a difference of 0 on each of its doors."""

    async def all_zero() -> bool:
        told = await told_unaccounted(system)
        return bool(told) and all(d and not any(d.values()) for d in told.values())

    await do.until("luotsi_unaccounted is 0 everywhere", all_zero, seconds)


# --- the history ----------------------------------------------------------------------------------


@dataclass
class History:
    """All that lies on the topics and in the tables, read once."""

    inbound: list[tuple[Place, Record]]
    receipts: list[Record]
    signals: list[Record]
    case_events: list[Record]
    notices: list[Record]
    log: dict[str, list[Row]]
    set_aside: dict[str, list[Row]]
    parked_keys: dict[str, set[str]]
    decisions: list[Row] = field(default_factory=list)
    clocks: list[Row] = field(default_factory=list)
    notifications: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)
    duty_items: list[Row] = field(default_factory=list)
    mailed: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)
    held: int = 0

    def applied(self, schema: str, *groups: str) -> dict[tuple[str, str], Row]:
        """Applied rows of the doors of these groups by (source, event id)."""
        return {
            (row["source"], row["event_id"]): row
            for row in self.log[schema]
            if row["outcome"] == "applied" and row["grp"].endswith(groups)
        }


LOG = """
    SELECT d.grp, d.topic, e.partition, e."offset", e.outcome, e.source, e.event_id, e.key,
           e.reason, e.received_at, e.recorded_at
    FROM event_log e JOIN door d ON d.id = e.door
    ORDER BY d.id, e.partition, e."offset"
"""


async def read(system: System) -> History:
    """Read everything."""
    url = system.admin_url
    schemas = services_of(system)
    history = History(
        inbound=[
            ((topic, record.partition, record.offset), record)
            for topic in events.INBOUND_TOPICS
            for record in await do.everything(system, topic)
        ],
        receipts=await do.everything(system, events.INTAKE_RECEIPT),
        signals=await do.everything(system, events.SIGNAL),
        case_events=await do.everything(system, events.CASE),
        notices=await do.everything(system, events.NOTICE),
        log={s: await of(system, s, LOG) for s in schemas},
        set_aside={s: await of(system, s, "SELECT * FROM set_aside") for s in schemas},
        parked_keys={
            s: {row["key"] for row in await of(system, s, "SELECT key FROM parked_key")}
            for s in schemas
        },
    )
    if "routing" in schemas:
        history.decisions = await do.fetch(url, "SELECT * FROM routing.decision ORDER BY seq")
        history.clocks = await do.fetch(url, "SELECT * FROM routing.clock")
        history.notifications = await do.fetch(url, "SELECT * FROM routing.notification")
        history.cases = await do.fetch(url, "SELECT child, seq FROM routing.child_case")
        history.duty_items = await do.fetch(url, "SELECT * FROM routing.duty_item")
    if "notifications" in schemas:
        history.mailed = await do.fetch(url, "SELECT * FROM notifications.notice")
        history.positions = await do.fetch(url, "SELECT * FROM notifications.case_position")
        history.held = await do.value(url, "SELECT count(*) FROM notifications.held_case_event")
    return history


async def check(system: System, about_nobody: Collection[Name] = ()) -> dict[str, int]:
    """Every invariant that can be read off the history; returns its numbers.

    `about_nobody` are the messages over HTTP that tell of no child, by source and id.
    Raises `AssertionError` with the ids of what is wrong.
    """
    await accounted(system)
    history = await read(system)
    once_per_source_id(history)
    for topic in (history.receipts, history.signals, history.case_events, history.notices):
        same_id_same_bytes(topic)
        by_murmur2(topic)
    answered(history)
    signalled(history, about_nobody)
    signals_in_order(history)
    set_aside_is_shown(history)
    if history.log.get("routing") is not None:
        screened(history)
        numbered(history)
    if history.log.get("notifications") is not None:
        noticed(history)
    return numbers(history)


# --- I1: every record leaves exactly one row ------------------------------------------------------


async def accounted(system: System) -> None:
    """Rows equal end offsets on every door, by the SQL that production counts with."""
    for schema in services_of(system):
        conn = await asyncpg.connect(system.admin_url, server_settings={"search_path": schema})
        try:
            doors = await conn.fetch("SELECT id, grp, topic FROM door WHERE grp <> 'http'")
            for door in doors:
                ends = await end_offsets(system, door["topic"])
                upto = {tp.partition: end for tp, end in ends.items() if end}
                counted = await store.count_log(conn, door["id"], upto)
                accounted = {partition: each.accounted for partition, each in counted.items()}
                assert upto == accounted, (
                    f"{schema}: {door['grp']} does not account for all records"
                )
            rows = await conn.fetch(
                'SELECT d.topic, e.partition, count(*) AS n, max(e."offset") + 1 AS upto '
                "FROM event_log e JOIN door d ON d.id = e.door WHERE d.grp <> 'http' "
                'GROUP BY d.id, e.partition HAVING count(*) <> max(e."offset") + 1'
            )
            assert [] == [tuple(row) for row in rows], f"{schema}: holes in the event log"
        finally:
            await conn.close()


def once_per_source_id(history: History) -> None:
    """Each event is applied once, whatever happened; the log's own index would refuse more."""
    for schema, rows in history.log.items():
        seen = [(r["grp"], r["source"], r["event_id"]) for r in rows if r["outcome"] == "applied"]
        assert len(seen) == len(set(seen)), f"{schema} applied an event twice"
    known = {
        (r["source"], r["event_id"]) for r in history.log["intake"] if r["outcome"] == "applied"
    }
    refused = {
        place_of(r)
        for r in history.log["intake"]
        if r["outcome"] in ("quarantined", "parked", "held", "returned")
    }
    for place, record in history.inbound:
        if place not in refused:
            source, ident = source_and_id(record)
            assert (source, ident) in known, f"{ident} is neither applied nor refused"


def place_of(row: Row) -> Place:
    """Where a row's record lies."""
    return row["topic"], row["partition"], row["offset"]


def source_and_id(record: Record) -> tuple[str, str]:
    """Who sent a record of the inbound topic and what they call it, in either mode."""
    found = {
        name: value.decode()
        for name, value in record.headers
        if value is not None and (name.startswith("ce_") or name == "content-type")
    }
    if found.get("content-type", "").startswith("application/cloudevents+json"):
        whole = orjson.loads(record.value or b"")
        return whole["source"], whole["id"]
    return found["ce_source"], found["ce_id"]


# --- what leaves ----------------------------------------------------------------------------------


def ident_of(record: Record) -> str:
    """The event's own id, from its header."""
    return next(value.decode() for name, value in record.headers if name == "ce_id" and value)


def first_sights(records: Iterable[Record]) -> dict[str, Record]:
    """The first record of each event id, in the partitions' own order."""
    firsts: dict[str, Record] = {}
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        firsts.setdefault(ident_of(record), record)
    return firsts


def same_id_same_bytes(records: Sequence[Record]) -> None:
    """A second copy of an event is byte for byte the first one."""
    seen: dict[str, tuple[bytes | None, bytes | None, int]] = {}
    for record in records:
        this = (record.key, record.value, record.partition)
        ident = ident_of(record)
        assert seen.setdefault(ident, this) == this, (
            f"{record.topic}: two events are called {ident}"
        )


def by_murmur2(records: Sequence[Record]) -> None:
    """Everything about one key lies in the partition that every client finds it in."""
    for record in records:
        assert partition_of(record.key or b"") == record.partition, ident_of(record)


def accepted(history: History, outcome: str = "accepted") -> dict[tuple[str, str], events.Receipt]:
    """The receipt of each message that was accepted, by (source, the source's id)."""
    found: dict[tuple[str, str], events.Receipt] = {}
    for record in first_sights(history.receipts).values():
        receipt = events.Receipt.model_validate_json(record.value or b"")
        if receipt.outcome == outcome:
            name = (receipt.source, receipt.source_id)
            assert name not in found, f"{name} was accepted twice"
            found[name] = receipt
    return found


def answered(history: History) -> None:
    """Each source id has its one answer, and what is refused is answered too."""
    applied = {
        (r["source"], r["event_id"]) for r in history.log["intake"] if r["outcome"] == "applied"
    }
    assert applied == set(accepted(history))
    refused = {
        str(receipt.receipt_id)
        for receipt in map(_receipt, first_sights(history.receipts).values())
        if receipt.outcome == "quarantined"
    }
    aside = {str(r["id"]) for r in history.set_aside["intake"] if r["outcome"] == "quarantined"}
    assert aside == refused, "something was quarantined and its source not told"


def _receipt(record: Record) -> events.Receipt:
    return events.Receipt.model_validate_json(record.value or b"")


def signals_of(history: History) -> dict[str, tuple[events.Signal, Record]]:
    """What was told of children, by the signal's id, at first sight, in partition order."""
    found = {}
    for ident, record in first_sights(history.signals).items():
        whole = orjson.loads(record.value or b"")
        if "facts" in whole:
            found[ident] = (events.Signal.model_validate_json(record.value or b""), record)
    return found


def signalled(history: History, about_nobody: Collection[Name]) -> None:
    """Each accepted notification gives one signal for each child it names, and no other.

    So does what was returned to a school; feeds, lists of ids and withdrawals tell of none.
    """
    indices: dict[UUID, set[int]] = defaultdict(set)
    sizes: dict[UUID, int] = {}
    for ident, (signal, record) in signals_of(history).items():
        assert record.key == str(signal.child).encode()
        assert ident == signal.id == f"{signal.receipt_id}.{signal.index}"
        indices[signal.receipt_id].add(signal.index)
        sizes[signal.receipt_id] = signal.children
    receipts = accepted(history)
    withdrawn = {
        UUID(ident.partition(".")[0])
        for ident, record in first_sights(history.signals).items()
        if orjson.loads(record.value or b"")["kind"] == "withdrawn"
    }
    named = {name: receipt.receipt_id for name, receipt in receipts.items()}
    applied = history.applied("intake", *GROUPS["intake"])
    places = {place_of(row): name for name, row in applied.items()}
    no_matter = {receipt_id for name, receipt_id in named.items() if name in about_nobody}
    for place, record in history.inbound:
        name = places.get(place)
        if name is not None and children_in(record) == 0:
            no_matter.add(named[name])
        elif name is not None:
            assert sizes[named[name]] == children_in(record), f"{name}: a child too many or too few"
    taken = set(named.values()) - no_matter
    sent_back = {receipt.receipt_id for receipt in accepted(history, "returned").values()}
    assert set(sizes) <= taken | sent_back <= set(sizes) | withdrawn
    for receipt_id, size in sizes.items():
        assert set(range(size)) == indices[receipt_id], f"{receipt_id} lacks a child"


def children_in(record: Record) -> int:
    """How many children a message of an inbound topic is about; an unborn one is one."""
    whole = orjson.loads(record.value or b"")
    headers = {name: value for name, value in record.headers if name == "ce_type" and value}
    if whole.get("type", headers.get("ce_type", b"").decode()) in WITHOUT_CHILDREN:
        return 0
    content = whole.get("data", whole)
    return len(content["children"]) if "children" in content else 1


def signals_in_order(history: History) -> None:
    """What one inbound partition tells of a child leaves in that order (first sights)."""
    applied = history.applied("intake", *GROUPS["intake"])
    place = {
        receipt.receipt_id: applied[name]
        for name, receipt in accepted(history).items()
        if name in applied and applied[name]["reason"] != "re-driven"
    }
    last: dict[tuple[UUID, str, int, str], int] = {}  # two sources have no order: one may be held
    for signal, _ in signals_of(history).values():
        row = place.get(signal.receipt_id)
        if row is not None:
            stream = signal.child, row["topic"], row["partition"], row["source"]
            before = last.get(stream, -1)
            assert before <= row["offset"], f"{signal.id} left before an earlier one of its child"
            last[stream] = row["offset"]


# --- routing --------------------------------------------------------------------------------------


def screened(history: History) -> None:
    """Each signal is applied once, in its partition's order, with one decision and four clocks."""
    signals = signals_of(history)
    applied = history.applied("routing", "routing-signal")
    waiting = {r["event_id"] for r in history.log["routing"] if r["outcome"] == "parked"}
    done = [ident for ident in signals if ident not in waiting]
    assert set(done) == {r["id"] for r in history.notifications}
    clocks: dict[str, list[str]] = defaultdict(list)
    for row in history.clocks:
        clocks[row["about"]].append(row["kind"])
    for ident in done:
        row = applied["luotsi.intake", ident]
        first = signals[ident][1]
        place = (row["partition"], row["offset"])
        assert (first.partition, first.offset) == place, f"{ident} was applied from a later copy"
        wanted_clocks = set(CLOCKS)
        if signals[ident][0].kind == "absence" and "urgency" not in clocks[ident]:
            wanted_clocks -= {"urgency"}  # without another concern nobody is asked
        assert sorted(wanted_clocks) == sorted(clocks[ident]), f"{ident} has other clocks"
    wanted: dict[UUID, list[str]] = defaultdict(list)
    for ident in done:
        wanted[signals[ident][0].child].append(ident)
    made: dict[UUID, list[str]] = defaultdict(list)
    for decision in history.decisions:
        because = signals.get(decision["because"])
        if because and because[0].child == decision["child"]:  # else it is a sibling's
            made[decision["child"]].append(decision["because"])
    assert wanted == made, "decisions were not made once each in the order of the log"


def numbered(history: History) -> None:
    """Every child's case events are numbered 1, 2, 3 without a gap, one id to a number."""
    numbers: dict[UUID, dict[int, str]] = defaultdict(dict)
    for ident, record in first_sights(history.case_events).items():
        event = events.CaseEvent.model_validate_json(record.value or b"")
        assert record.key == str(event.child).encode()
        before = numbers[event.child].setdefault(event.seq, ident)
        assert before == ident == event.id, f"{event.child}: number {event.seq} was given twice"
    for child, given in numbers.items():
        assert sorted(given) == list(range(1, len(given) + 1)), f"{child}: a gap in {sorted(given)}"
    ends = {row["child"]: row["seq"] for row in history.cases}
    ends |= {row["id"]: row["seq"] for row in history.duty_items}
    assert ends == {child: max(given) for child, given in numbers.items()}


def set_aside_is_shown(history: History) -> None:
    """Whatever a service set aside stands at the duty desk with its four clocks, or is closed."""
    if "routing" not in history.log:
        return
    items = {row["id"]: row for row in history.duty_items}
    clocks: dict[str, set[str]] = defaultdict(set)
    running: dict[str, int] = defaultdict(int)
    for row in history.clocks:
        clocks[row["about"]].add(row["kind"])
        running[row["about"]] += row["stopped_at"] is None
    for rows in history.set_aside.values():
        for row in rows:
            ident = str(row["id"])
            assert row["id"] in items, f"nobody sees {ident} ({row['reason']})"
            assert clocks[ident] == CLOCKS, ident
            assert (row["closed_at"] is None) == (items[row["id"]]["closed_at"] is None), ident
            assert (row["closed_at"] is None) == (running[ident] > 0), ident


# --- notifications --------------------------------------------------------------------------------


def noticed(history: History) -> None:
    """One receipt for each notification, and every case event applied in its order."""
    receipts = [row["receipt"] for row in history.mailed if row["purpose"] == "receipt"]
    assert sorted(receipts) == sorted(r.receipt_id for r in accepted(history).values())
    assert history.held == 0, "case events wait for an earlier one"
    ends: dict[UUID, int] = {}
    for record in history.case_events:
        event = events.CaseEvent.model_validate_json(record.value or b"")
        ends[event.child] = max(event.seq, ends.get(event.child, 0))
    assert ends == {row["child"]: row["seq"] for row in history.positions}


# --- the numbers ----------------------------------------------------------------------------------


def numbers(history: History) -> dict[str, int]:
    """How much there was of everything, second copies included."""
    found = {"published": len(history.inbound)}
    for schema, rows in history.log.items():
        for row in rows:
            name = f"{schema} {row['outcome']}"
            found[name] = found.get(name, 0) + 1
    for name, records in (
        ("receipts", history.receipts), ("signals", history.signals),
        ("case events", history.case_events),
    ):  # fmt: skip
        found[name] = len(first_sights(records))
        found[f"{name} sent again"] = len(records) - found[name]
    return found


def outcomes(history: History, schema: str, wanted: Callable[[Row], bool]) -> list[Row]:
    """Rows of a service's event log."""
    return [row for row in history.log[schema] if wanted(row)]
