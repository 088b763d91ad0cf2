"""Who is who, as a worker says it to intake: identities, joins, separations."""

import asyncio
from typing import Any

import orjson

from shared import events
from shared.hetu import make_hetu
from tests.builders import AChild
from tests.intakeside import DESK, Intake, intake, told

__all__ = ["intake"]

ONE, OTHER, THIRD = (AChild(number=n).hetu for n in (903, 904, 905))


async def child(intake: Intake, ident: str, **named: Any) -> str:
    """A message about a child has come; the child's id."""
    content = {
        "notifier": {"kind": "education", "name": "Testi Ilmoittaja"},
        "children": [named or {"name": "Testi Lapsi"}],
        "observations": "Huoli.",
    }
    (signal,) = told(await intake.take(content, ident), events.SIGNAL)
    return str(signal["child"])


async def ask(intake: Intake, what: str, **body: Any) -> Any:
    return await intake.http.post(f"/internal/{what}", json=body, headers=DESK)


async def sent(intake: Intake) -> list[dict[str, Any]]:
    async with intake.pool.acquire() as conn:
        rows = await conn.fetch("SELECT key, value FROM outbox ORDER BY id")
    return [{"key": row["key"].decode(), **orjson.loads(row["value"])} for row in rows]


async def test_a_join_is_told_once_with_the_key_of_each_child(intake: Intake) -> None:
    one, other = await child(intake, "n-1", hetu=ONE), await child(intake, "n-2", hetu=OTHER)

    answer = await ask(intake, "merge", child=other, other=one)

    assert answer.json() == {"merged": other, "kept": one}  # who came first keeps the case
    copies = await sent(intake)
    assert [c["key"] for c in copies] == [c["child"] for c in copies] == [other, one]
    assert [c["id"].rpartition(".")[2] for c in copies] == ["0", "1"]
    assert len({c["id"].rpartition(".")[0] for c in copies}) == 1
    assert {(c["kind"], c["merged"], c["kept"], c["number"]) for c in copies} == {
        ("merged", other, one, 1)
    }
    async with intake.pool.acquire() as conn:
        audit = await conn.fetch("SELECT actor, act, subject FROM audit ORDER BY subject")
    assert [tuple(row) for row in audit] == [
        ("w-1", "merge", each) for each in sorted([one, other])
    ]


async def test_whoever_is_known_keeps_the_case(intake: Intake) -> None:
    nameless = await child(intake, "n-1")
    known = await child(intake, "n-2", hetu=ONE)

    answer = await ask(intake, "merge", child=known, other=nameless)

    assert answer.json() == {"merged": nameless, "kept": known}


async def test_an_identity_that_is_known_asks_whether_the_two_are_one(intake: Intake) -> None:
    known, nameless = await child(intake, "n-1", hetu=ONE), await child(intake, "n-2")

    refused = await ask(intake, "identity", child=nameless, hetu=ONE)

    assert (refused.status_code, refused.json()["other"]) == (409, known)
    assert refused.json()["type"].endswith("known-identity")
    assert ONE not in refused.text
    assert await sent(intake) == []


async def test_a_childs_new_code_finds_the_same_child_as_the_old_one(intake: Intake) -> None:
    known = await child(intake, "n-1", hetu=ONE)

    plain = await ask(intake, "identity", child=known, hetu=OTHER)
    changed = await ask(intake, "identity", child=known, hetu=OTHER, changed=True)
    again = await ask(intake, "identity", child=known, hetu=THIRD, changed=True)
    twice = await ask(intake, "identity", child=known, hetu=OTHER, changed=True)

    assert [a.status_code for a in (plain, changed, again, twice)] == [409, 200, 200, 409]
    for place, code in enumerate((ONE, OTHER, THIRD)):
        assert await child(intake, f"later-{place}", hetu=code) == known
    told_of = await sent(intake)
    assert [each["kind"] for each in told_of] == ["identity"] * 2
    assert len({each["id"] for each in told_of}) == 2


async def test_a_new_code_that_is_anothers_asks_whether_the_two_are_one(intake: Intake) -> None:
    one, other = await child(intake, "n-1", hetu=ONE), await child(intake, "n-2", hetu=OTHER)

    refused = await ask(intake, "identity", child=one, hetu=OTHER, changed=True)

    assert (refused.status_code, refused.json()["other"]) == (409, other)


async def test_a_separation_undoes_a_join_and_counts_on(intake: Intake) -> None:
    one, other = await child(intake, "n-1", hetu=ONE), await child(intake, "n-2", hetu=OTHER)
    await ask(intake, "merge", child=other, other=one)

    taken = await ask(intake, "merge", child=other, other=await child(intake, "n-3", hetu=THIRD))
    done = await ask(intake, "separate", child=other)
    again = await ask(intake, "separate", child=other)

    assert [a.status_code for a in (taken, done, again)] == [409, 200, 409]
    assert done.json() == {"merged": other, "kept": one}
    copies = (await sent(intake))[2:]
    assert {(c["kind"], c["merged"], c["number"]) for c in copies} == {("separated", other, 2)}
    assert {c["key"] for c in copies} == {one, other}
    assert await child(intake, "later", hetu=OTHER) == other


async def test_who_was_joined_twice_over_is_separated_from_who_has_the_case(
    intake: Intake,
) -> None:
    first = await child(intake, "n-1", hetu=ONE)
    second = await child(intake, "n-2", hetu=OTHER)
    third = await child(intake, "n-3", hetu=THIRD)
    await ask(intake, "merge", child=third, other=second)
    await ask(intake, "merge", child=second, other=first)

    done = await ask(intake, "separate", child=third)

    assert done.json() == {"merged": third, "kept": first}


async def test_the_next_unborn_child_of_a_parent_is_another_one(intake: Intake) -> None:
    parent = make_hetu(AChild(number=950).born, 950).value

    async def expected(ident: str) -> str:
        content = {
            "notifier": {"kind": "health_care", "name": "Testi Ilmoittaja"},
            "parent": {"hetu": parent}, "observations": "Huoli.", "support_after_birth": "Tuki.",
        }  # fmt: skip
        row = await intake.take(content, ident, kind="anticipatory")
        return str(told(row, events.SIGNAL)[0]["child"])

    unborn = await expected("a-1")
    born = await child(intake, "n-1", hetu=ONE)
    await ask(intake, "merge", child=unborn, other=born)

    later = await expected("a-2")
    await ask(intake, "separate", child=unborn)

    assert later not in (unborn, born)
    assert await expected("a-3") == later  # given back, but it leads to another child by now


async def test_messages_that_were_never_about_a_child_get_one_of_their_own(intake: Intake) -> None:
    one = await child(intake, "n-1", hetu=ONE)

    answer = await ask(intake, "split", child=one, signals=["a.0", "b.0"])

    new = answer.json()["merged"]
    assert {(c["child"], tuple(c["signals"]), c["number"]) for c in await sent(intake)} == {
        (new, ("a.0", "b.0"), 1), (one, ("a.0", "b.0"), 1),
    }  # fmt: skip
    named = await ask(intake, "identity", child=new, hetu=OTHER)
    assert named.status_code == 200


async def test_two_workers_who_join_the_same_two_at_once_join_them_once(intake: Intake) -> None:
    one, other = await child(intake, "n-1", hetu=ONE), await child(intake, "n-2", hetu=OTHER)

    answers = await asyncio.gather(
        ask(intake, "merge", child=one, other=other), ask(intake, "merge", child=other, other=one)
    )

    assert sorted(a.status_code for a in answers) == [200, 409]
    assert len(await sent(intake)) == 2


async def test_only_children_who_are_there_and_differ_are_joined(intake: Intake) -> None:
    one = await child(intake, "n-1", hetu=ONE)

    same = await ask(intake, "merge", child=one, other=one)
    nobody = await ask(intake, "merge", child=one, other="00000000-0000-4000-8000-000000000000")

    assert (same.status_code, nobody.status_code) == (422, 404)
