"""What the demo says at its end: where to look, what arrived, where it went, what is open."""

from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap

from deploy.local.plan import Plan
from deploy.local.store import Counts
from shared.clock import HELSINKI

HOLDERS = {
    "duty": "the duty desk",
    "own_worker": "the child's own worker",
    "initial_assessment": "initial assessment",
    "person_decides": "nobody yet: a person chooses",
}
DESTINATIONS = {
    "expert_group": "expert group",
    "psychiatry": "psychiatry co-consultation",
    "school_health": "school health care",
    "hospital_school": "hospital school",
    "basic_services": "basic services",
    "family_work": "family work",
    "school_welfare": "school welfare",
    "child_health_clinic": "maternity and child health clinic",
    "family_centre": "family centre",
    "systemic_team": "weekly systemic team",
    "palasista_eteenpain": "Palasista eteenpäin",
    "lapsen_hyva": "Lapsen hyvä council",
    "placed_child_school_path": "placed child's school path",
    "outreach_pair": "outreach pair",
    "family_group_conference": "family group conference",
    "lets_talk": "Let's Talk about Children",
    "youth_substance_care": "substance care for those under 18",
    "peer_group": "children's peer group",
    "demanding_substitute_care": "demanding substitute care",
    "ot_support": "OT support",
    "barnahus": "Barnahus",
}
CLOCKS = {
    "urgency": "urgency checks",
    "assessment_start": "assessments to start",
    "family_told": "families to tell",
    "assessment_finish": "assessments to finish",
}


def summary(plan: Plan, found: Counts) -> str:
    """The whole text, 100 columns wide at most."""
    return "\n".join(
        (
            *addresses(plan),
            "",
            *what_arrived(found),
            "",
            *where_it_went(found),
            "",
            *what_needs_a_person(found),
            "",
            "`make down` stops it and keeps the data; `make clean` forgets them.",
        )
    )


def addresses(plan: Plan) -> Iterator[str]:
    """Where to look."""
    ports = plan.ports

    def at(port: int, path: str = "/") -> str:
        return f"http://127.0.0.1:{port}{path}"

    yield "Open in a browser"
    yield f"  the desk            {at(ports.desk)}  (choose a sample worker to log in)"
    yield f"  caught mail         {at(ports.mail)}  (nothing leaves this machine)"
    yield f"  intake's HTTP API   {at(ports.intake, '/openapi')}"
    yield f"  the desk's JSON API {at(ports.desk, '/interface')}"
    yield f"  Kafka's events      {at(ports.intake, '/asyncapi')}  (AsyncAPI)"
    for number, name in enumerate(("intake", "routing", "desk", "notifications")):
        title = "metrics" if number == 0 else ""
        yield f"  {title:<19} {at(getattr(ports, name), '/metrics')}  ({name})"
    yield f"  Kafka               {plan.kafka}"


def what_arrived(found: Counts) -> Iterator[str]:
    """Messages by what became of them; matters by kind, counted per child; what the feeds told."""
    days = f" from {day(found.first_at)} to {day(found.last_at)}" if found.first_at else ""
    yield "What arrived"
    yield f"  {sum(found.messages.values())} messages{days}: {told(found.messages)}"
    yield (
        f"  {found.notifications} notifications and other matters, counted per child, about"
        f" {found.cases} children:"
    )
    kinds = told({name.replace("_", " "): count for name, count in found.kinds.items()})
    yield from wrap(kinds, 96, initial_indent="    ", subsequent_indent="    ")
    yield f"  from the feeds: {told(found.feeds)}"


def where_it_went(found: Counts) -> Iterator[str]:
    """Cases by holder and by destination."""
    yield "Where it went"
    for holder, words in HOLDERS.items():
        if count := found.holders.get(holder, 0):
            yield f"  {count:>5}  {words}"
    for destination, words in DESTINATIONS.items():
        states = {s: n for (d, s), n in found.destinations.items() if d == destination}
        states.pop("withdrawn", None)
        if states:
            yield f"  {sum(states.values()):>5}  {words}, besides: {told(states)}"


def what_needs_a_person(found: Counts) -> Iterator[str]:
    """What stands open, the most pressing first."""
    yield "What needs a person"
    flagged = f" ({found.flagged_checks} with an urgent flag)" if found.flagged_checks else ""
    proposed = sum(n for (_, state), n in found.destinations.items() if state == "proposed")
    for count, words in (
        (found.open_checks, f"urgency checks{flagged}"),
        (found.urgent_cases, "urgent cases at the duty desk"),
        (found.set_aside, "messages set aside: they could not be read or applied"),
        (found.tasks, "tasks: a supervisor looks, or another county must be told"),
        (found.nameless, "children whom nobody knows yet"),
        (found.unconfirmed, "holders to confirm"),
        (proposed, "destinations to accept or decline"),
    ):
        if count:
            yield f"  {count:>5}  {words}"
    for kind, words in CLOCKS.items():
        soon, late = found.clocks.get(kind, (0, 0))
        if kind != "urgency" and soon + late:
            overdue = f", {late} past it" if late else ""
            yield f"  {soon + late:>5}  {words}: last day within three days{overdue}"
        elif late:
            yield f"  {late:>5}  urgency checks unanswered past their time"


def told(counts: dict[str, int]) -> str:
    """`3 applied, 1 repeated`, the most first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {name}" for name, count in ordered)


def day(moment: datetime | None) -> str:
    """A local date."""
    return f"{moment.astimezone(HELSINKI):%d.%m.%Y}" if moment else "-"
