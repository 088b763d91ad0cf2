"""The walking system: a notification on Kafka becomes a case with its clocks and its answers."""

import orjson

from deploy.local.system import System
from shared import events
from tests import system as do


async def test_a_notification_becomes_a_case_and_its_source_is_answered(luotsi: System) -> None:
    luotsi.prepare()
    services = [luotsi.service("intake"), luotsi.service("routing")]
    for service in services:
        service.start()
    await do.until_ready(services)

    await do.publish_notification(luotsi, "n-1")

    clocks = await do.until(
        "four clocks run",
        lambda: do.fetch(
            luotsi.admin_url, "SELECT kind FROM routing.clock WHERE stopped_at IS NULL"
        ),
    )
    answers = await do.read_topic(luotsi, events.INTAKE_RECEIPT, 1)
    told = await do.read_topic(luotsi, events.CASE, 1)
    case = (await do.fetch(luotsi.admin_url, "SELECT * FROM routing.child_case"))[0]

    assert {row["kind"] for row in clocks} == {
        "urgency", "assessment_start", "family_told", "assessment_finish",
    }  # fmt: skip
    assert orjson.loads(answers[0].value)["outcome"] == "accepted"
    assert answers[0].key == b"n-1"
    assert case["holder"] == "duty"
    assert events.CaseEvent.model_validate_json(told[0].value).seq == 1
    assert told[0].key.decode() == str(case["child"])
