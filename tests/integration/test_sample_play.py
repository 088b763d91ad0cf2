"""Sample workers at a real desk, beside real services, Kafka and PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from deploy.local import store
from deploy.local.month import misspelt
from deploy.local.play import Beside, answer_checks, work_on_cases
from deploy.local.system import System
from deploy.sample.county import Message, Told, told
from deploy.sample.publish import publish
from deploy.sample.staff import WORKERS, Aside, look_at
from deploy.sample.staff.leaves import away
from deploy.sample.staff.people import RUBBER_STAMPERS
from deploy.sample.staff.telling import Known
from deploy.sample.store import add_workers
from shared import events
from shared.clock import HELSINKI, utc_now
from shared.contract import EXAMPLES
from shared.kinds import BY_NAME
from tests import system as do

LAST_DAY = date(2025, 11, 30)
LOOKED_AT = datetime(2025, 11, 18, 10, tzinfo=UTC)  # one that is read and closed
RETURNED = 4
Line = dict[str, Any]


@dataclass
class County:
    """A Luotsi into which a small county has sent what it had to send."""

    luotsi: System
    desk: str
    known: Known

    async def rows(self, query: str, *values: Any) -> list[Any]:
        return await do.fetch(self.luotsi.admin_url, query, *values)

    async def played(self, file: Path) -> list[Line]:
        """The workers have worked until now; what is told beside."""
        beside = Beside(self.known, file)
        await answer_checks(self.desk, utc_now(), nobody, beside)
        await work_on_cases(self.desk, utc_now(), nobody, beside)
        return lines(file)


def nobody(done: int, of: int) -> None:
    """Hears how far it is."""


def lines(file: Path) -> list[Line]:
    return [orjson.loads(each) for each in file.read_bytes().splitlines()]


@pytest.fixture
async def county(luotsi: System) -> County:
    luotsi.prepare(("school-1",))
    intake = luotsi.service("intake")
    desk = luotsi.service("desk", demo="true", intake_url=intake.url)
    services = [intake, luotsi.service("routing"), desk]
    for service in services:
        service.start()
    await do.until_ready(services)
    await add_workers(luotsi.admin_url, WORKERS)
    county = told(last_day=LAST_DAY, days=150, children=1200)
    sent = [each for each in county if each.message.topic == events.INTAKE_NOTIFICATION]
    messages = [*nameless(sent), misspelt(sent[0].message), *returned()]
    await publish(luotsi.bootstrap, messages, topic_prefix=luotsi.prefix)
    await do.until("everything is routed", lambda: routed(luotsi, sent, len(messages)))
    await do.fetch(  # what cannot be read tells no time of its own
        luotsi.admin_url,
        "UPDATE routing.duty_item SET received_at = $1 WHERE outcome = 'quarantined'",
        LOOKED_AT,
    )
    truths = {(t.truth.source, t.truth.source_id): t.truth for t in sent}
    names = await store.message_names(luotsi.admin_url)
    return County(luotsi, desk.url, Known(names, truths))


def nameless(sent: Sequence[Told]) -> list[Message]:
    """The county's messages; whoever is notified of again is so without a henkilötunnus."""
    seen: set[str] = set()
    found = []
    for message, truth in sent:
        child = truth.children[0].child
        plain = truth.kind == "notification" and not truth.repeat and len(truth.children) == 1
        if plain and child in seen and truth.about is None:
            body = orjson.loads(message.value)
            body["children"][0].pop("hetu", None)
            found.append(replace(message, value=orjson.dumps(body)))
        else:
            found.append(message)
        seen.add(child)
    return found


def returned() -> list[Message]:
    """Absence signals whose school has not done its part."""
    body = orjson.loads((EXAMPLES / "absence.json").read_bytes().replace(b"2026-", b"2025-"))
    body |= {"steps_done": body["steps_done"][:1], "school_mar_held": None}
    kind, found = BY_NAME["absence"], []
    for number in range(RETURNED):
        at = datetime(2025, 11, 18, 9, number, tzinfo=UTC)
        content = {**body, "arrived_at": at.isoformat(), "pupil_ref": f"opp-{number}"}
        ident = f"abs-{number}"
        found.append(
            Message(
                at, "school-1", ident, "absence", kind.topic, ident.encode(),
                do.headers("school-1", ident, kind.type), orjson.dumps(content),
            )
        )  # fmt: skip
    return found


async def routed(luotsi: System, sent: Sequence[Told], messages: int) -> bool:
    """Whether intake has accounted for every message, and routing has every notification."""
    wanted = {(t.truth.source, t.truth.source_id): len(t.truth.children) for t in sent
              if t.truth.kind != "withdrawal"}  # fmt: skip
    taken = await do.value(luotsi.admin_url, "SELECT count(*) FROM intake.event_log")
    held = await do.value(luotsi.admin_url, "SELECT count(*) FROM routing.notification")
    aside = await do.value(
        luotsi.admin_url, "SELECT count(*) FROM routing.duty_item WHERE outcome = 'quarantined'"
    )
    return bool(taken >= messages and held == sum(wanted.values()) + RETURNED and aside == 1)


async def test_the_desk_holds_what_the_truth_tells(county: County, tmp_path: Path) -> None:
    beside = await county.played(tmp_path / "workers.jsonl")
    acts = {str(row["id"]): row for row in await county.rows("SELECT * FROM routing.act")}
    taken = {line["recorded"]: line for line in beside if line["recorded"]}

    assert set(acts) == set(taken)
    for ident, row in acts.items():
        line, at = taken[ident], datetime.fromisoformat(taken[ident]["at"])
        assert (row["worker"], "taken") == (line["worker"], line["outcome"])
        assert row["done_at"] == at or not line["dated"]
        assert not away(row["worker"], at.astimezone(HELSINKI).date())
    every_kind_is_done(acts.values())
    rubber_stampers_accept(acts.values())
    who_is_too_late_leaves_it_or_chooses_anew(beside)
    await those_who_are_joined_are_one(county, beside)
    (item,) = await county.rows("SELECT * FROM routing.duty_item WHERE outcome = 'quarantined'")
    aside = Aside(str(item["id"]), item["received_at"], "quarantined")
    expected = [(act.kind, act.worker) for act in look_at(aside, utc_now())]
    looked = [line for line in beside if line["act"] in {"original_read", "item_closed"}]
    assert [(line["act"], line["worker"]) for line in looked] == expected
    assert ("item_closed" in dict(expected)) == (item["closed_at"] is not None)
    (noted,) = await county.rows("SELECT * FROM routing.audit WHERE act = 'original-opened'")
    assert looked[0]["worker"] == noted["actor"]
    checks = [line for line in beside if line["act"] == "check"]
    assert {"urgent", "not_urgent"} == {line["really"] for line in checks}


def every_kind_is_done(acts: Iterable[Any]) -> None:
    done = Counter(row["kind"] for row in acts)
    for kind in (
        "urgency_answered", "holder_confirmed", "holder_overridden", "destination_accepted",
        "destination_declined", "family_told", "assessment_started", "manifestly_unnecessary",
        "assessment_finished", "identity_given", "merged",
    ):  # fmt: skip
        assert done[kind], kind
    assert RETURNED == done["is_matter"] + done["no_matter"]


def rubber_stampers_accept(acts: Iterable[Any]) -> None:
    stamped = [row for row in acts if row["worker"] in RUBBER_STAMPERS]
    assert "holder_confirmed" in {row["kind"] for row in stamped}
    assert not {"holder_overridden", "destination_declined"} & {row["kind"] for row in stamped}


def who_is_too_late_leaves_it_or_chooses_anew(beside: Sequence[Line]) -> None:
    late = Counter(line["act"] for line in beside if line["outcome"] == "too_late")
    assert late["identity"]
    assert late["holder"]
    assert late["destination"]
    chosen = [line for line in beside if line["act"] == "holder" and line["look"] == 2]
    for _, both in groupby(sorted(chosen, key=whose), key=whose):
        assert [each["outcome"] for each in both] in (["too_late", "taken"], ["agreed"])


def whose(line: Line) -> tuple[str, str]:
    return line["worker"], line["at"]


async def those_who_are_joined_are_one(county: County, beside: Sequence[Line]) -> None:
    joined = [line for line in beside if line["act"] == "join"]
    assert joined
    for line in joined:
        rows = await county.rows(
            "SELECT n.source, n.source_id FROM routing.notification n JOIN routing.act a "
            "ON a.child = n.child WHERE a.id = $1",
            UUID(line["recorded"]),
        )
        names = [(row["source"], row["source_id"]) for row in rows]
        assert line["really"] in {
            child.child for name in names for child in county.known.truths[name].children
        }


async def test_two_plays_at_once_do_nothing_twice_and_a_later_one_leaves_it_all(
    county: County, tmp_path: Path
) -> None:
    both = [tmp_path / "one.jsonl", tmp_path / "other.jsonl"]
    await asyncio.gather(*(county.played(file) for file in both))
    recorded = [line["recorded"] for file in both for line in lines(file) if line["recorded"]]
    acts = [str(row["id"]) for row in await county.rows("SELECT id FROM routing.act")]

    assert sorted(acts) == sorted(recorded)
    twice = await county.rows(
        "SELECT about FROM routing.act WHERE kind IN ('urgency_answered', 'is_matter', 'no_matter')"
        " GROUP BY about HAVING count(*) > 1"
    )
    assert twice == []
    again = await county.played(tmp_path / "later.jsonl")
    screened_anew = {"holder", "destination"}  # cases that were joined
    assert {line["act"] for line in again} <= {
        "identity", "join", "original_read", "item_closed", *screened_anew,
    }  # fmt: skip
