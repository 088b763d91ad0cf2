"""The sample county's workers: leaves and rota, rubber-stampers, second looks, and their truth."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest

from deploy.sample.county import told
from deploy.sample.staff import (
    DUTY,
    LEAD,
    SOCIAL,
    WORKERS,
    Act,
    Aside,
    Notified,
    Standing,
    TrueName,
    answers,
    follow_up,
    identities,
    join,
    look_at,
    read_again,
    settle,
)
from deploy.sample.staff.acting import DISAGREES, SECOND_LOOK
from deploy.sample.staff.hours import day_of, is_working_day, next_working_day, on_duty, turn
from deploy.sample.staff.leaves import away
from deploy.sample.staff.people import LEADS, PART_TIME, RUBBER_STAMPERS, habit_of
from deploy.sample.staff.telling import Known, line
from shared.clock import HELSINKI

UNTIL = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = UNTIL + timedelta(days=120)
YEAR = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
ALL_CLOCKS = frozenset({"assessment_start", "family_told", "assessment_finish"})
HETU = "010515A900K"
PROPOSED = {"check", "holder", "destination"}


def a_note(received: datetime, **changes: Any) -> Notified:
    values = {"open": False, "flagged": False, "running": ALL_CLOCKS, **changes}
    return Notified("r.0", received, **values)


def test_a_careful_worker_asks_what_matters_and_not_everybody_does() -> None:
    """Five questions at most, once a case; a rubber-stamper asks nothing."""
    asks = tuple(f"a{n}" for n in range(1, 8))
    cases = [a_case(UNTIL - timedelta(minutes=n), asks=asks) for n in range(400)]
    acts = [act for case in cases for act in follow_up(case, LATER) if act.kind == "questions"]

    assert 80 < len(acts) < 200
    assert {5} == {len(act.body["answers"]) for act in acts}
    said = Counter(answer for act in acts for answer in act.body["answers"].values())
    assert said["no"] > said["unknown"] > said["yes"] > 0
    assert not {act.worker for act in acts} & set(RUBBER_STAMPERS)
    again = [replace(case, answered=True) for case in cases]
    assert not [a for case in again for a in follow_up(case, LATER) if a.kind == "questions"]


def a_case(received: datetime, *, note: dict[str, Any] | None = None, **changes: Any) -> Standing:
    values = {
        "child": "c-1", "urgency": "not_urgent", "holder": "initial_assessment", "holder_seq": 2,
        "holder_chosen": False, "proposals": {"basic_services": 1, "psychiatry": 2},
        "notifications": (a_note(received, **(note or {})),), **changes,
    }  # fmt: skip
    return Standing(**values)


def moments(count: int = 2000) -> list[datetime]:
    """Spread over a year: summers, nights and holidays among them."""
    return [UNTIL - timedelta(minutes=(525_600 // count) * number + 1) for number in range(count)]


CASES = [a_case(at) for at in moments()]
CHECKS = [a_note(at, open=True, flagged=n % 20 == 0) for n, at in enumerate(moments())]
RETURNED = [a_case(at, note={"returned": True}) for at in moments(400)]
NAMELESS = [a_case(at, who=TrueName("Testi Lapsi", HETU)) for at in moments(400)]
ASIDE = [Aside(f"i-{n}", at, "quarantined") for n, at in enumerate(moments(400))]


def all_acts(now: datetime = LATER) -> list[Act]:
    """What is done about all of them by `now`."""
    acts = answers(CHECKS, now)
    acts += [act for case in CASES for act in follow_up(case, now)]
    acts += [act for case in RETURNED for act in settle(case, now)]
    found = [act for case in NAMELESS for act in identities(case, now)]
    acts += found + [made for act in found if (made := join(act, "c-2", now))]
    return acts + [act for aside in ASIDE for act in look_at(aside, now)]


@pytest.fixture(scope="module")
def acts() -> list[Act]:
    return all_acts()


# --- at work, and away ----------------------------------------------------------------------------


def test_nobody_acts_on_leave(acts: list[Act]) -> None:
    assert [] == [a for a in acts if away(a.worker, day_of(a.done_at))]


def test_every_worker_has_leave_and_works_most_of_the_year() -> None:
    for worker in WORKERS:
        days = Counter(away(worker.id, day) for day in YEAR)
        assert 35 <= days["annual"] <= 49
        assert days["sick"] < 40
        assert (worker.id in PART_TIME) == ("part_time" in days)
    assert {"sick"} < {away(worker.id, day) for worker in WORKERS for day in YEAR}


def test_the_duty_desk_is_never_empty_and_nobody_on_it_is_away() -> None:
    for day in YEAR:
        for hour in range(24):
            there = on_duty(datetime(day.year, day.month, day.day, hour, tzinfo=HELSINKI))
            office = is_working_day(day) and 8 <= hour < 16
            assert len(there) == (2 if office else 1)
            assert not any(away(worker, day) for worker in there)


def test_nobody_has_the_day_after_a_night() -> None:
    at = [datetime(d.year, d.month, d.day, 12, tzinfo=HELSINKI) for d in YEAR]

    for before, day in pairwise(at):
        assert not {*on_duty(before + timedelta(hours=8))} & {*on_duty(day)}


def test_a_case_whose_worker_is_away_waits_or_passes_to_a_colleague() -> None:
    waited = passed = 0
    for number, day in enumerate(YEAR):
        if is_working_day(day) and away("social-1", day):
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=HELSINKI)
            when = turn("social-1", SOCIAL, noon, 0, Random(number))
            waited += when.worker == "social-1"
            passed += when.worker != "social-1"
            assert when.worker != "social-1" or day_of(when.at) == next_working_day(day)
    assert waited >= 2
    assert passed > 20


def test_duty_work_is_the_duty_desks_and_assessments_are_not(acts: list[Act]) -> None:
    by_kind = {kind: {a.worker for a in acts if a.kind == kind} for kind in {a.kind for a in acts}}

    assert by_kind["check"] >= {*DUTY}
    assert by_kind["family_told"] == by_kind["assessment_started"] == {*SOCIAL}
    assert by_kind["holder"] >= {*SOCIAL, LEAD}
    for kind in ("holder", "join", "assessment_finished", "manifestly_unnecessary"):
        assert by_kind[kind] <= {*SOCIAL, *LEADS}


# --- habits ---------------------------------------------------------------------------------------


def test_rubber_stampers_accept_everything_within_a_minute_and_never_override(
    acts: list[Act],
) -> None:
    stamped = [a for a in acts if a.worker in RUBBER_STAMPERS and a.kind in PROPOSED]

    assert {"check", "holder", "destination"} == {a.kind for a in stamped}
    assert {a.worker for a in stamped} == RUBBER_STAMPERS
    for act in stamped:
        assert timedelta(0) < act.done_at - act.since < timedelta(minutes=1)
        assert act.said in {"initial_assessment", "accepted", "not_urgent", "urgent"}
        assert (act.look, act.believed) == (1, None)


def test_a_rubber_stamper_follows_the_flag() -> None:
    for note in CHECKS:
        for act in answers([note], LATER):
            if habit_of(act.worker) == "rubber_stamper":
                assert act.said == ("urgent" if note.flagged else "not_urgent")


def test_where_there_is_nothing_to_confirm_somebody_careful_chooses() -> None:
    for at in moments(300):
        for urgency, holder in (("not_urgent", "person_decides"), ("urgent", "duty")):
            case = a_case(at, urgency=urgency, holder=holder)
            (act,) = (a for a in follow_up(case, LATER) if a.kind == "holder")
            assert habit_of(act.worker) == "careful"
            assert act.body["reason"]


def test_others_decline_and_override_now_and_then(acts: list[Act]) -> None:
    own = [a for a in acts if a.worker not in RUBBER_STAMPERS and a.look == 1]
    declined = [a.said == "declined" for a in own if a.kind == "destination"]
    overridden = [a.said == "own_worker" for a in own if a.kind == "holder"]

    assert 0.2 < sum(declined) / len(declined) < 0.3
    assert 0.03 < sum(overridden) / len(overridden) < 0.1


# --- second looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["holder", "destination"])
def test_a_share_is_looked_at_twice_and_some_of_the_second_disagree(
    acts: list[Act], kind: str
) -> None:
    first = [a for a in acts if a.kind == kind and a.look == 1]
    second = [a for a in acts if a.kind == kind and a.look == 2]
    disagree = [a for a in second if a.sent]

    assert 0.75 * SECOND_LOOK < len(second) / len(first) < 1.25 * SECOND_LOOK
    assert 0.75 * DISAGREES < len(disagree) / len(second) < 1.25 * DISAGREES


def test_the_second_worker_is_another_one_who_looks() -> None:
    seconds = 0
    for case in CASES:
        made = follow_up(case, LATER)
        for act in (a for a in made if a.look == 2):
            (first,) = (a for a in made if (a.place, a.look) == (act.place, 1))
            seconds += 1
            assert act.worker != first.worker
            assert habit_of(act.worker) == "careful"
            assert act.done_at > first.done_at
            assert act.sent == (act.said != first.said)
    assert seconds > 300


def test_two_at_the_duty_desk_may_answer_the_same_check_and_differ() -> None:
    twice = [made for note in CHECKS if len(made := answers([note], LATER)) == 2]

    assert len(twice) > 30
    assert all(one.worker != other.worker for one, other in twice)
    assert 0.2 < sum(one.said != other.said for one, other in twice) / len(twice) < 0.6


def test_who_was_too_late_reads_again_and_gives_a_reason_or_leaves_it() -> None:
    made = [(case, act) for case in CASES for act in follow_up(case, LATER)]
    case, second = next((c, a) for c, a in made if a.kind == "holder" and a.look == 2 and a.sent)
    first = next(a for a in follow_up(case, LATER) if a.kind == "holder")
    now = replace(case, holder_chosen=True, confirmed=case.holder, holder_act="a-1")

    anew = read_again(second, now)

    assert anew is not None
    assert ("a-1", second.said) == (anew.body["after"], anew.body["holder"])
    assert read_again(second, replace(now, confirmed=second.said)) is None
    assert read_again(first, replace(now, confirmed=second.said)) is None
    again = read_again(first, replace(case, holder_seq=9))
    assert again is not None
    assert 9 == again.body["holder_seq"]
    check = answers([CHECKS[0]], LATER)[0]
    assert read_again(check, now) is None


def test_after_an_interruption_a_second_worker_still_chooses_otherwise() -> None:
    for case in CASES[:600]:
        before = [a for a in follow_up(case, LATER) if a.kind == "holder"]
        confirmed = before[0].said
        now = replace(case, holder_chosen=True, confirmed=confirmed, holder_act="a-1")
        left = [a for a in follow_up(now, LATER) if a.kind == "holder"]
        assert [a.said for a in before if a.look == 2 and a.sent] == [a.said for a in left]


# --- returned signals, nameless children, set-aside messages --------------------------------------


def test_most_returned_signals_are_no_matter_and_urgency_comes_first() -> None:
    said = Counter(act.said for case in RETURNED for act in settle(case, LATER))

    assert len(RETURNED) == said.total()
    assert 0.2 < said["matter"] / said.total() < 0.4
    assert settle(a_case(UNTIL, note={"returned": True, "open": True}), LATER) == []
    assert follow_up(RETURNED[0], LATER) == []


def test_a_nameless_child_gets_a_name_only_where_somebody_can_know_it() -> None:
    found = [act for case in NAMELESS for act in identities(case, LATER)]

    assert 0.5 < len(found) / len(NAMELESS) < 0.7
    assert {(HETU, "Testi Lapsi")} == {(a.body["hetu"], a.body["name"]) for a in found}
    assert identities(CASES[0], LATER) == []


def test_only_what_nobody_could_read_is_closed_and_only_after_it_was_read() -> None:
    closed = 0
    for aside in ASIDE:
        made = look_at(aside, LATER)
        assert "original_read" == made[0].kind
        assert made[0].done_at <= made[-1].done_at
        closed += len(made) == 2
        (only,) = look_at(aside._replace(outcome="parked"), LATER)
        assert "original_read" == only.kind
    assert 0.3 < closed / len(ASIDE) < 0.5


# --- time and repetition --------------------------------------------------------------------------


def test_the_same_cases_give_the_same_acts(acts: list[Act]) -> None:
    assert acts == all_acts()


def test_no_act_comes_before_its_receipt_or_after_now() -> None:
    for case in CASES:
        received = case.notifications[0].received_at
        for act in follow_up(case, UNTIL):
            assert received <= act.since <= act.done_at <= UNTIL
    for note in CHECKS:
        for act in answers([note], UNTIL):
            assert note.received_at < act.done_at <= UNTIL


# --- the truth ------------------------------------------------------------------------------------


def test_careful_workers_mostly_find_what_is_really_urgent() -> None:
    for urgent, least, most in ((True, 0.85, 0.95), (False, 0.0, 0.03)):
        made = [
            act
            for note in CHECKS
            for act in answers([replace(note, urgent=urgent)], LATER)
            if act.look == 1 and habit_of(act.worker) == "careful"
        ]
        assert least <= sum(a.said == "urgent" for a in made) / len(made) <= most


def test_a_line_tells_worker_habit_message_belief_and_what_is_really_so() -> None:
    truths = [t.truth for t in told(last_day=date(2026, 11, 22), days=30, children=2_000)]
    truth = next(t for t in truths if t.kind == "notification" and not t.urgent)
    known = Known(
        {"r.0": (truth.source, truth.source_id)}, {(truth.source, truth.source_id): truth}
    )
    note = replace(CHECKS[0], urgent=known.urgent("r.0"))
    act = answers([note], LATER)[0]

    found = orjson.loads(line(act, known, "taken", "a-1"))

    assert [f"{truth.source}/{truth.source_id}"] == found["messages"]
    assert (act.worker, habit_of(act.worker), "check", "not_urgent", "taken", "a-1") == tuple(
        found[name] for name in ("worker", "habit", "act", "really", "outcome", "recorded")
    )
    assert (act.said, act.believed) == (found["said"], found["believed"])
    child = truth.children[0]
    assert known.who(("r.0",)) == TrueName(child.name, child.hetu)
    assert known.who(("r.0", "elsewhere.0")) == TrueName(child.name, child.hetu)
    assert known.who(("r.9",)) is None


def test_what_the_county_did_not_send_is_not_known() -> None:
    known = Known()

    found = orjson.loads(line(answers([CHECKS[0]], LATER)[0], known, "too_late", None))

    assert (None, [], None) == (found["really"], found["messages"], found["recorded"])
    assert known.urgent("r.0") is None
