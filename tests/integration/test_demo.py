"""The demo's small promises: clear words where something is in the way, and seeded sample staff."""

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from deploy.local import demo, play
from deploy.local.errors import LocalError
from deploy.local.machine import HOST
from deploy.local.month import WAY, arriving_now, misspelt, sample_month
from deploy.local.plan import USERS, DemoSettings, Plan, Ports
from deploy.local.process import BackgroundProcess
from deploy.local.programs import Program, mail_settings
from deploy.local.store import Counts
from deploy.local.summary import summary
from deploy.local.supervisor import LONGEST_WAIT_S, Watched, wait_before_start
from deploy.sample.staff import WORKERS, Act, Notified, Standing, answers, follow_up
from services.intake.domain.reading import read_message
from services.routing.desk.api import CaseInfo, Clock, NotificationInfo, Proposal
from services.routing.domain.clocks import clocks_for
from services.routing.domain.rota import OnDuty, first_gaps
from shared.clock import HELSINKI, from_milliseconds
from shared.events import INTAKE_NOTIFICATION
from shared.inbox import Raw, Unreadable
from shared.kinds import BY_NAME, FEED_TOPICS
from tests import history

UNTIL = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = UNTIL + timedelta(days=120)
ALL_CLOCKS = frozenset({"assessment_start", "family_told", "assessment_finish"})


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


def a_case(received: datetime, **changes: object) -> Standing:
    note = Notified("r.0", received, open=True, flagged=False, running=ALL_CLOCKS)
    values = {
        "child": "c-1", "urgency": "not_urgent", "holder": "initial_assessment", "holder_seq": 2,
        "holder_chosen": False, "proposals": {"basic_services": 1}, "notifications": (note,),
    }  # fmt: skip
    return Standing(**{**values, **changes})  # type: ignore[arg-type]


def a_month_of_cases() -> list[Standing]:
    return [a_case(UNTIL - timedelta(minutes=67 * number)) for number in range(600)]


# --- in the way -----------------------------------------------------------------------------------


def test_the_demo_waits_for_groups_that_the_services_read_by() -> None:
    groups = {
        (topic, group)
        for by_group in history.GROUPS.values()
        for group, topics in by_group.items()
        for topic in topics
    }

    assert groups >= set(WAY)


def test_a_taken_port_is_told_with_its_user_and_the_setting_that_moves_it(taken_port: int) -> None:
    with pytest.raises(LocalError, match=rf"Port {taken_port} \(the desk\).*LUOTSI_DESK_PORT="):
        demo.demand_ports({"desk": taken_port})


def test_every_port_has_a_user_in_words_and_a_setting() -> None:
    assert set(Ports.model_fields) == set(USERS)
    assert set(Ports.model_fields) <= {
        name.removesuffix("_port") for name in DemoSettings.model_fields if name.endswith("_port")
    }


def test_a_setting_that_is_no_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUOTSI_DESK_PORT", "next door")

    with pytest.raises(LocalError, match="LUOTSI_DESK_PORT is not a port number"):
        DemoSettings.read()


def test_chosen_ports_are_kept_for_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUOTSI_DESK_PORT", "18100")
    plan = Plan(ports=DemoSettings.read().ports(Ports()))
    plan.save(tmp_path)
    monkeypatch.delenv("LUOTSI_DESK_PORT")

    kept = DemoSettings.read().ports(Plan.load(tmp_path).ports)

    assert (18100, 8101) == (kept.desk, kept.intake)


def test_the_plan_holds_a_password_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    Plan(database_url="postgresql://postgres:secret@127.0.0.1/luotsi").save(tmp_path)

    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600


def test_a_plan_of_another_version_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"ports": "elsewhere"}))

    with pytest.raises(LocalError, match="another version"):
        Plan.load(tmp_path)


def test_two_commands_at_once_do_not_meet(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with (
        demo.alone(folder),
        pytest.raises(LocalError, match="is at work"),
        demo.alone(folder),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(LocalError, match="cannot be written"),
        demo.alone(tmp_path / "file" / "demo"),
    ):
        pass


def test_what_nobody_thought_of_is_one_line_and_its_story_lies_in_a_file(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalError, match=r"LookupError: a row.*error\.log") as caught,
        demo.one_line(tmp_path),
    ):
        raise LookupError("a row\nis not there")

    assert "\n" not in str(caught.value)
    assert "Traceback" in (tmp_path / "error.log").read_text()


def test_down_says_in_words_that_nothing_was_running(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import sys; from deploy.local.demo import Demo;"
        "Demo(Path(sys.argv[1])).down()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
    )

    assert (0, "") == (result.returncode, result.stderr)
    assert "Nothing of Luotsi's demo is running" in result.stdout


# --- the month ------------------------------------------------------------------------------------


def test_the_same_moment_gives_the_same_month() -> None:
    assert sample_month(UNTIL) == sample_month(UNTIL)


def test_the_month_ends_now_and_its_newest_messages_are_held_back() -> None:
    sample = sample_month(UNTIL)

    assert len(sample.past) > 500
    assert max(message.at for message in (*sample.past, *sample.now)) <= UNTIL
    told = {m.source_id for m in sample.past if m.topic not in FEED_TOPICS}
    withdrawn = sum(m.kind == "withdrawal" for m in sample.past)
    assert sample.signals >= len(told) - withdrawn
    assert not {m.source_id for m in sample.past} & {m.source_id for m in sample.now}
    for message in sample.past:
        BY_NAME[message.kind].model.model_validate_json(message.value)


def test_the_feeds_come_before_the_month_and_leave_no_gap_in_the_duty_rota() -> None:
    sample = sample_month(UNTIL)
    shifts = [
        orjson.loads(m.value)["entry"] for m in (*sample.known, *sample.past)
        if m.kind == "directory" and b'"rota"' in m.value
    ]  # fmt: skip
    on_duty = [
        OnDuty(s["kind"], *(datetime.fromisoformat(s[name]) for name in ("begins", "ends")))
        for s in shifts if s["staff"]
    ]  # fmt: skip

    assert {"client", "directory"} == {m.kind for m in sample.known}
    assert not [m for m in sample.now if m.topic in FEED_TOPICS]
    for days in range(14):
        assert {None} == set(first_gaps(on_duty, UNTIL + timedelta(days=days)).values())


def test_what_comes_in_now_is_received_when_kafka_takes_it() -> None:
    appended = from_milliseconds(1_795_000_000_000)
    message = arriving_now(sample_month(UNTIL).now[0])

    read = read_message(Raw(0, 0, appended, message.key, message.headers, message.value))

    assert not isinstance(read, Unreadable)
    assert appended == read.received_at


def test_one_message_has_a_mistake_that_its_source_can_mend() -> None:
    message = misspelt(next(m for m in sample_month(UNTIL).now if m.kind != "withdrawal"))

    read = read_message(Raw(0, 0, UNTIL, message.key, message.headers, message.value))

    assert isinstance(read, Unreadable)
    assert "observations" in read.mend


def test_some_families_need_the_expert_group() -> None:
    letters = [m for m in sample_month(UNTIL).past if m.topic == INTAKE_NOTIFICATION]
    past = [orjson.loads(m.value) for m in letters if m.kind != "withdrawal"]
    reasons = [body["reasons"] for body in past]

    assert 3 <= sum(len(each) >= 4 for each in reasons) <= len(reasons) // 50


# --- the staff ------------------------------------------------------------------------------------


def test_sample_workers_decide_the_same_again() -> None:
    for case in a_month_of_cases()[:50]:
        assert answers(case.notifications, UNTIL) == answers(case.notifications, UNTIL)
        assert follow_up(case, UNTIL) == follow_up(case, UNTIL)


def test_about_one_check_in_twenty_is_urgent_and_all_are_answered_in_time() -> None:
    cases = [
        a_case(UNTIL - timedelta(hours=n), notifications=(
            Notified(f"r.{n}", UNTIL - timedelta(hours=n), open=True, flagged=n % 9 == 0),
        ))
        for n in range(1, 720)
    ]  # fmt: skip
    acts = [a for case in cases for a in answers(case.notifications, UNTIL) if a.look == 1]
    urgent = sum(act.body["answer"] == "urgent" for act in acts)

    assert len(cases) == len(acts)
    assert 0.02 < urgent / len(acts) < 0.09
    for case, act in zip(cases, acts, strict=True):
        received = case.notifications[0].received_at
        assert received < act.done_at < received + timedelta(minutes=30)


def test_no_act_lies_in_the_future_or_before_the_receipt() -> None:
    for case in a_month_of_cases():
        received = case.notifications[0].received_at
        for act in (*answers(case.notifications, UNTIL), *follow_up(case, UNTIL)):
            assert received <= act.done_at <= UNTIL


def test_given_time_every_assessment_starts_or_is_found_unnecessary_in_time() -> None:
    for case in a_month_of_cases():
        received = case.notifications[0].received_at
        due = {clock.kind: clock.target for clock in clocks_for(received)}
        acts = follow_up(case, LATER)

        assert due["assessment_start"] > the(acts, "assessment-started", "unnecessary").done_at
        assert due["family_told"] > the(acts, "family-told").done_at


def the(acts: list[Act], *names: str) -> Act:
    (found,) = (act for act in acts if act.place.endswith(names))
    return found


def test_the_last_days_stay_partly_open() -> None:
    recent = [case for case in a_month_of_cases() if case.notifications[0].received_at
              > UNTIL - timedelta(days=3)]  # fmt: skip
    complete = [len(follow_up(case, UNTIL)) >= len(follow_up(case, LATER)) for case in recent]

    assert not all(complete)


def test_staff_work_in_office_hours_and_only_duty_at_night() -> None:
    for case in a_month_of_cases()[::7]:
        for act in follow_up(case, LATER):
            local = act.done_at.astimezone(HELSINKI)
            assert (8 <= local.hour <= 16, local.weekday() < 5) == (True, True)


def test_a_case_whose_urgency_is_open_gets_no_other_act() -> None:
    assert follow_up(a_case(UNTIL - timedelta(days=9), urgency="open"), UNTIL) == []


def test_what_is_done_is_not_done_again() -> None:
    received = UNTIL - timedelta(days=30)
    note = Notified("r.0", received, open=False, flagged=False)
    done = a_case(received, holder_chosen=True, proposals={}, notifications=(note,))

    assert ([], []) == (answers(done.notifications, UNTIL), follow_up(done, UNTIL))


def test_only_social_workers_and_their_lead_assess() -> None:
    roles = {worker.id: worker.role for worker in WORKERS}

    for case in a_month_of_cases()[::5]:
        for act in follow_up(case, LATER):
            assert roles[act.worker] in {"social_worker", "supervisor"}


def test_the_players_read_a_case_as_the_desks_api_writes_it() -> None:
    child = UUID(int=7)
    told = CaseInfo(
        child=child, mark="K-1", version=1, age_band="7-12", provisional=False,
        urgency="not_urgent", level="perus", holder="own_worker", proposed_holder="own_worker",
        confirmed_holder=None, holder_seq=4, holder_act=None, why=(), unknown=(), rules="1",
        proposals=[
            Proposal(destination="psychiatry", number=2, state="proposed", proposed_at=UNTIL),
            Proposal(destination="expert_group", number=1, state="declined", proposed_at=UNTIL),
        ],
        notifications=[
            NotificationInfo(
                id="r.0", received_at=UNTIL, check_state="not_urgent", flagged=True, siblings=1,
                clocks=[
                    Clock(kind="urgency", about="r.0", text="done", tone="done", running=False),
                    Clock(kind="family_told", about="r.0", text="soon", tone="soon", running=True),
                ],
            )
        ],
        history=[],
    )  # fmt: skip

    note = Notified("r.0", UNTIL, open=False, flagged=True, running=frozenset({"family_told"}))
    expected = Standing(
        str(child), "not_urgent", "own_worker", 4, holder_chosen=False,
        proposals={"psychiatry": 2}, client=True, notifications=(note,),
    )  # fmt: skip
    assert expected == play.standing(told.model_dump(mode="json"))


# --- processes and words --------------------------------------------------------------------------


def test_mail_leaves_only_once_the_month_is_in() -> None:
    plan = Plan()
    before = mail_settings(plan)
    plan.opens(UNTIL)
    after = mail_settings(plan)

    assert ("false", "true") == (before["send"], after["send"])
    assert datetime.fromisoformat(after["not_before"]) == UNTIL


def test_a_program_that_dies_is_started_again_and_ever_more_slowly(tmp_path: Path) -> None:
    process = BackgroundProcess("sleeper", tmp_path, tied=True)
    watched = Watched(Program("sleeper", process, 0, {}, command=("/bin/sleep", "600")))
    watched.program.start()
    try:
        first = process.pid
        process.kill()
        watched.look(100.0)
        assert process.pid is None
        watched.look(100.0 + wait_before_start(1))
        assert process.pid not in {None, first}
    finally:
        process.kill()

    waits = [wait_before_start(deaths) for deaths in range(1, 50)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S


def test_the_summary_tells_addresses_counts_and_what_is_open() -> None:
    plan = Plan(kafka="127.0.0.1:9092")
    found = Counts(
        messages={"applied": 800, "quarantined": 1, "repeated": 4},
        first_at=UNTIL - timedelta(days=30), last_at=UNTIL, notifications=900, cases=760,
        kinds={"notification": 640, "absence": 190, "joint_contact": 70},
        feeds={"clients": 2900, "staff": 80, "duty shifts": 150},
        holders={"duty": 8, "own_worker": 250, "initial_assessment": 502},
        levels={"perus": 500, "erityis": 260},
        destinations={("psychiatry", "proposed"): 7, ("psychiatry", "accepted"): 50},
        judged={"open": 8, "urgent": 45, "not_urgent": 847},
        open_checks=8, flagged_checks=1, urgent_cases=3, set_aside=1, nameless=20,
        unconfirmed=30, tasks=12, clocks={"assessment_start": (9, 0), "urgency": (8, 2)},
    )  # fmt: skip
    text = summary(plan, found)

    for fact in (
        "http://127.0.0.1:8100/", "http://127.0.0.1:8125/", "/asyncapi", "/openapi", "/metrics",
        "805 messages", "900 notifications", "640 notification, 190 absence, 70 joint contact",
        "2900 clients, 150 duty shifts, 80 staff", "50 accepted, 7 proposed",
        "8  urgency checks (1 with an urgent flag)", "1  messages set aside", "12  tasks",
        "make down",
    ):  # fmt: skip
        assert fact in text
    assert max(len(line) for line in text.splitlines()) <= 100
