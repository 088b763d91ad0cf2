"""What a county takes along: sealed parts opened by one rule, erased ones said to be."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from deploy.leaving.opening import ERASED, Opener
from deploy.leaving.readme import readme
from deploy.leaving.store import Table
from shared.sealing import KeyFile, Sealer

ACT = Table("routing", "act", "routing.act", "1")
LOG = Table("intake", "event_log", "intake.event_log", "1")


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    KeyFile.create(tmp_path / "keys.json")
    return Sealer(KeyFile(tmp_path / "keys.json"))


class NoKeys:
    """A database in which no other data key is left."""

    async def fetch(self, *_: Any) -> list[Any]:
        return []


async def opened(opener: Opener, table: Table, row: dict[str, Any]) -> dict[str, Any]:
    (found,) = await opener.open(NoKeys(), table, [row])  # type: ignore[arg-type, list-item]
    return found


async def test_a_sealed_text_opens_by_the_name_and_the_ids_it_stands_beside(sealer: Sealer) -> None:
    act, key = uuid4(), uuid4()
    sealer.new_key(key)
    row = {"id": act, "kind": "note", "reason": sealer.seal(key, "reason", str(act), b"Siksi")}

    found = await opened(opener := Opener(sealer), ACT, row)

    assert {"id": str(act), "kind": "note", "reason": "Siksi"} == found
    assert (0, 0) == (opener.erased, opener.unopened)


async def test_what_is_sealed_within_a_kept_event_is_opened_in_its_place(sealer: Sealer) -> None:
    key = uuid4()
    sealer.new_key(key)
    card = sealer.seal(key, "person", "n-1.0", b'{"name":"Testi"}')
    body = orjson.dumps({"id": "n-1.0", "person": card, "facts": {"reasons": ["other"]}})

    found = await opened(Opener(sealer), ACT, {"id": 1, "body": body})

    assert {"id": "n-1.0", "person": {"name": "Testi"}, "facts": {"reasons": ["other"]}} == (
        found["body"]
    )


async def test_what_has_been_erased_says_so(sealer: Sealer) -> None:
    act, key = uuid4(), uuid4()
    sealer.new_key(key)
    reason = sealer.seal(key, "reason", str(act), b"Siksi")
    erased = Sealer(sealer.keys)

    found = await opened(opener := Opener(erased), ACT, {"id": act, "reason": reason})

    assert ERASED == found["reason"]
    assert (1, 0) == (opener.erased, opener.unopened)


async def test_what_has_a_key_and_does_not_open_is_counted(sealer: Sealer) -> None:
    key = uuid4()
    sealer.new_key(key)
    moved = sealer.seal(key, "reason", "another-act", b"Siksi")

    found = await opened(opener := Opener(sealer), ACT, {"id": "this-act", "reason": moved})

    assert moved == found["reason"]
    assert (0, 1) == (opener.erased, opener.unopened)


async def test_bytes_whose_key_nobody_can_name_are_counted_too(sealer: Sealer) -> None:
    row: dict[str, Any] = {
        "body": b"sealed", "answers": None, "item": None, "key": "k", "source": "s",
        "event_id": "e",
    }  # fmt: skip

    found = await opened(opener := Opener(sealer), LOG, row)

    assert 1 == opener.unopened
    assert {"base64": "c2VhbGVk"} == found["original"]


@pytest.mark.parametrize("text", ["s1.", "s1.no.key", "s1.a.b.c", "plain"])
async def test_a_persons_text_that_looks_sealed_stays_as_it_is(sealer: Sealer, text: str) -> None:
    assert text == (await opened(Opener(sealer), ACT, {"id": UUID(int=1), "why": text}))["why"]


def test_the_readme_says_what_each_file_is_even_of_a_table_it_does_not_know() -> None:
    told = readme(["routing/clock.jsonl", "routing/audit.jsonl", "routing/seat.jsonl"])

    assert "statutory clock" in told
    assert "who read or did what" in told
    assert "the rows of table seat" in told
