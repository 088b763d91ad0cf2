"""The dry run: what would be imported, and what is wrong, from the file alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import main
from deploy.golive.plan import Plan, figures, late, read_plan
from services.routing.domain.clocks import ClockSettings, clocks_for
from tests.contract.generate import OPEN_MATTER
from tests.system import NOTIFICATION

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ARRIVED = datetime(2026, 11, 16, 8, 30, 15, tzinfo=UTC)
ANSWERED = {
    "kind": "urgency_answered", "done_at": "2026-11-16T08:50:00Z", "answer": "not_urgent",
    "reason": "Ei vaaraa",
}  # fmt: skip
STARTED = {"kind": "assessment_started", "done_at": "2026-11-17T08:00:00Z"}
UNNEEDED = {
    "kind": "manifestly_unnecessary", "done_at": "2026-11-17T09:00:00Z", "ground": "other",
    "reason": "Ei tarvetta",
}  # fmt: skip
FINISHED = {"kind": "assessment_finished", "done_at": "2026-11-19T08:00:00Z"}
EXAMPLE = OPEN_MATTER.parent / "open-matters.jsonl"


def line(ident: str = "old-1", *acts: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {**NOTIFICATION, "arrived_at": ARRIVED.isoformat(), **more.pop("message", {})}
    return {"id": ident, "kind": "notification", "message": message, "acts": acts, **more}


def plan_of(*lines: Any, settings: ClockSettings | None = None) -> Plan:
    content = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    return read_plan(content, "old-system", NOW, settings or ClockSettings())


def test_a_matter_gets_the_clocks_of_its_true_receipt_and_its_acts_stop_them() -> None:
    plan = plan_of(line("old-1", ANSWERED, STARTED))

    (matter,) = plan.matters
    (child,) = matter.children
    assert ARRIVED == matter.received_at
    assert [] == plan.wrong
    assert {clock.kind: clock.due for clock in clocks_for(ARRIVED)} == {
        kind: clock.due for kind, clock in child.clocks.items()
    }
    assert {
        "urgency": datetime(2026, 11, 16, 8, 50, tzinfo=UTC),
        "assessment_start": datetime(2026, 11, 17, 8, 0, tzinfo=UTC),
        "family_told": None,
        "assessment_finish": None,
    } == {kind: clock.stopped_at for kind, clock in child.clocks.items()}
    assert "not_urgent" == child.check_state


def test_matters_are_sent_in_the_order_of_their_receipt() -> None:
    earlier = {"arrived_at": (ARRIVED - timedelta(days=30)).isoformat()}

    plan = plan_of(line("old-1"), line("old-2", message=earlier))

    assert ["old-2", "old-1"] == [matter.id for matter in plan.matters]


def test_each_child_of_a_matter_has_its_own_acts_and_clocks() -> None:
    children = [{"name": "Testi Yksi"}, {"name": "Testi Kaksi"}]
    plan = plan_of(
        line("old-1", ANSWERED, {**UNNEEDED, "child": 2}, message={"children": children})
    )

    found = figures(plan.matters)

    assert 2 == found.notifications
    assert {"urgency_answered": 2, "manifestly_unnecessary": 1} == found.acts
    assert {"assessment_start": 1, "assessment_finish": 1, "family_told": 2} == found.running


def test_an_act_in_the_minute_of_the_receipt_counts_as_done_after_it() -> None:
    plan = plan_of(line("old-1", {**ANSWERED, "done_at": "2026-11-16T08:30:00Z"}))

    assert ARRIVED == plan.matters[0].children[0].acts[0].done_at


def test_what_is_late_already_is_counted() -> None:
    assert {"urgency": 1} == late(plan_of(line("old-1")).matters, NOW)


def test_an_unborn_childs_matter_has_the_clocks_that_the_county_gives_it() -> None:
    content = json.loads(
        (OPEN_MATTER.parents[2] / "shared/docs/examples/anticipatory.json").read_bytes()
    )
    unborn = {
        "id": "old-1", "kind": "anticipatory",
        "message": {**content, "arrived_at": ARRIVED.isoformat()},
    }  # fmt: skip
    alone = ClockSettings(anticipatory_in_days=False)

    assert 4 == figures(plan_of(unborn).matters).running.total()
    assert {"urgency": 1} == figures(plan_of(unborn, settings=alone).matters).running


def done(at: str) -> dict[str, Any]:
    return {**STARTED, "done_at": at}


def without_arrival() -> dict[str, Any]:
    bad = line()
    del bad["message"]["arrived_at"]
    return bad


@pytest.mark.parametrize(
    ("lines", "number", "field", "mend"),
    [
        ([b"{"], 1, "line", "not JSON"),
        ([b"[]"], 1, "line", "object"),
        ([line(), line("old 2")], 2, "id", "pattern"),
        ([line(), line()], 2, "id", "line 1"),
        ([line("010594Y9032")], 1, "message", "personal-data-in-id"),
        ([{**line(), "colour": "red"}], 1, "?", "spelling"),
        ([line(kind="withdrawal")], 1, "kind", "matter of a child"),
        ([line(kind="absence")], 1, "kind", "matter of a child"),
        ([line(kind="letter")], 1, "kind", "notification"),
        ([without_arrival()], 1, "message.arrived_at", "needed"),
        ([line(message={"arrived_at": "2026-11-20T12:00:01Z"})], 1, "message.arrived_at", "future"),
        ([line(message={"arrived_at": "1926-11-20T12:00:01Z"})], 1, "message", "arrived_at"),
        ([line(message={"observations": ""})], 1, "message", "observations"),
        ([line(message={"corrects": "old-0"})], 1, "message.corrects", "no matter of this file"),
        ([line("old-1", {**ANSWERED, "answer": None})], 1, "acts.0", "answer"),
        ([line("old-1", {**ANSWERED, "reason": " "})], 1, "acts.0", "reason"),
        ([line("old-1", {**STARTED, "ground": "other"})], 1, "acts.0", "ground"),
        ([line("old-1", done("2026-11-17T08:00"))], 1, "acts.0.done_at", "timezone"),
        ([line("old-1", done("2026-11-21T08:00Z"))], 1, "acts.0.done_at", "future"),
        ([line("old-1", done("2026-11-15T08:00Z"))], 1, "acts.0.done_at", "receipt"),
        ([line("old-1", STARTED, ANSWERED)], 1, "acts.1.done_at", "order"),
        ([line("old-1", FINISHED)], 1, "acts.0", "not been started"),
        ([line("old-1", STARTED, UNNEEDED)], 1, "acts.1", "no clock left"),
        ([line("old-1", ANSWERED, ANSWERED)], 1, "acts.1", "no clock left"),
        ([line("old-1", {**ANSWERED, "child": 2})], 1, "acts", "fewer children"),
        (
            [line("old-1", ANSWERED, expected={"clocks_running": ["family_told"]})],
            1, "expected.clocks_running", "assessment_finish would run",
        ),
        (
            [line("old-1", ANSWERED, STARTED, FINISHED, expected={"clocks_running": ["urgency"]})],
            1, "expected.clocks_running", "urgency would not run",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_line_field_and_mend(
    lines: list[Any], number: int, field: str, mend: str
) -> None:
    plan = plan_of(*lines)

    (wrong,) = plan.wrong
    assert (number, field) == (wrong.line, wrong.field)
    assert mend in wrong.mend


def test_the_dry_run_of_the_example_tells_its_figures_and_nobodys_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["import-matters", str(EXAMPLE), "--source", "old-system"])

    told = capsys.readouterr()
    figures_told = [text.split() for text in told.out.splitlines()]
    assert 0 == code
    assert ["notification", "1"] in figures_told
    assert ["joint_contact", "1"] in figures_told
    assert "Nothing was sent" in told.out
    assert "Testi" not in told.out + told.err


def test_a_file_with_something_wrong_is_not_run_and_nothing_of_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "matters.jsonl"
    secret = {"Kanaria Salainen": "Kanaria", "observations": "Kanaria\x00"}
    bad = [
        line("old-1", message=secret), line("Kanaria Salainen"), line(kind="Kanaria"),
        {**line("old-2"), "Kanaria": 1}, line("old-3", {**ANSWERED, "answer": "Kanaria"}),
    ]  # fmt: skip
    file.write_text("\n".join(json.dumps(each) for each in bad) + '\n{"Kanaria')

    code = main(["import-matters", str(file), "--source", "old", "--worker", "w", "--run"])

    told = capsys.readouterr()
    assert 1 == code
    assert 6 == sum(text.startswith("line ") for text in told.out.splitlines())
    assert "Nothing was sent" in told.out
    assert "Kanaria" not in told.out + told.err
