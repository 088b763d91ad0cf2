"""Siblings whose messages go through two processes of routing at the same moment, on real Kafka."""

from datetime import date, timedelta
from typing import Any

import orjson

from deploy.local.system import System
from shared.hetu import make_hetu
from tests import history
from tests import system as do

FAMILIES = 120
REASONS = (["LOCAL-REASON-GUARDIAN-EXHAUSTION"], ["LOCAL-REASON-SCHOOL"])


def siblings(family: int) -> list[dict[str, object]]:
    """An elder and a younger child with one guardian, of whom no other family knows."""
    born = date(2012, 1, 2) + timedelta(days=family)
    return [
        {
            "name": f"Testi Lapsi {place}",
            "hetu": make_hetu(born + timedelta(days=700 * place), 900 + place, "A").value,
            "guardians": [{"name": f"Testi Huoltaja {family:03}"}],
        }
        for place in range(2)
    ]


def message(ident: str, children: list[dict[str, object]], reasons: list[str]) -> Any:
    content = {**do.NOTIFICATION, "children": children, "reasons": reasons}
    return ident.encode(), orjson.dumps(content), do.headers("school-1", ident)


async def test_what_comes_about_siblings_at_one_moment_in_two_processes_is_seen_by_both(
    luotsi: System,
) -> None:
    """One message names both, then one about each, of all families at once."""
    luotsi.prepare()
    services = [luotsi.service("intake"), *(luotsi.service("routing", n) for n in (1, 2))]
    for service in services:
        service.start()
    await do.until_ready(services)

    both = [message(f"both-{n}", siblings(n), []) for n in range(FAMILIES)]
    each = [
        message(f"each-{n}-{place}", [child], REASONS[place])
        for n in range(FAMILIES)
        for place, child in enumerate(siblings(n))
    ]
    await do.publish(luotsi, [*both, *each])
    await do.until(
        "everything is screened",
        lambda: do.value(
            luotsi.admin_url, "SELECT count(*) = $1 FROM routing.notification", 4 * FAMILIES
        ),
    )

    cases = await do.fetch(
        luotsi.admin_url,
        "SELECT c.family::jsonb AS family, d.facts::jsonb ->> 'a8' AS a8, c.level "
        "FROM routing.child_case c "
        "JOIN routing.decision d ON d.child = c.child AND d.seq = c.decision_seq",
    )
    assert 2 * FAMILIES == len(cases)
    assert {1} == {orjson.loads(case["family"])["notified"] for case in cases}
    assert {("yes", "erityis"), ("yes", "perus")} >= {(c["a8"], c["level"]) for c in cases}
    assert {"yes"} == {case["a8"] for case in cases}, "said of one, it counts for the other"
    routed = [sum(history.metric(each, "luotsi_cases_routed_total").values()) for each in services]
    assert all(routed[1:]), "both processes of routing took part"
    await history.settled(luotsi)
    await history.check(luotsi)
