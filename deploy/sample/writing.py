"""Writes one planned message, from its own seed, as an intake system would send it."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, get_args
from zlib import crc32

import orjson

from deploy.sample import matters, words
from deploy.sample.families import (
    AFTER_SCHOOL,
    Household,
    first_name,
    hetu_of,
    household_on,
    local,
    phone,
    school_age,
    stated,
)
from deploy.sample.message import Message, headers_of
from deploy.sample.rhythm import in_term
from deploy.sample.scenes import Setting, Story, Subject, book, pick, tell
from deploy.sample.volumes import Band, volumes
from deploy.sample.year import LETTER_OF, Group, Plan, Visit, mixed, seeded
from shared import events, kinds


def write(plan: Plan, visit: Visit) -> Message:
    """The message of one visit; the same bytes whenever it is asked for."""
    group, first = plan.group(visit.group), plan.first_of(visit)
    day = local(first.at)
    household = household_on(plan, group, day.date())
    source = source_of(first, household)
    key, source_id = (id_of(plan, source, day, each) for each in (first, visit))
    arrived = datetime.fromtimestamp(visit.at, UTC).isoformat()
    kind = kinds.BY_NAME[visit.kind]
    if visit.kind == "withdrawal":
        body = matters.withdrawal(seeded(mixed(plan.base, 4, visit.number)), key)
    else:
        body = _content(plan, first, group, household)
    if visit is not first and visit.kind != "withdrawal":
        codes = [hetu_of(person) for person in group.people]
        body = matters.correction(seeded(mixed(plan.base, 4, visit.number)), key, body, codes)
    return Message(
        at=datetime.fromtimestamp(visit.sent, UTC),
        source=source,
        source_id=source_id,
        kind=visit.kind,
        topic=kind.topic,
        key=key.encode(),
        headers=headers_of(source, source_id, kind.type, arrived),
        value=orjson.dumps({"arrived_at": arrived} | body),
    )


def id_of(plan: Plan, source: str, day: datetime, visit: Visit) -> str:
    """The source's id of a message; `day` is when the first was written that it is about."""
    return f"{source[:3]}-{day.year}-{mixed(plan.base, 3, visit.number):016x}"


def _content(plan: Plan, visit: Visit, group: Group, household: Household) -> dict[str, Any]:
    """What is told, without when it arrived."""
    rng, at = seeded(mixed(plan.base, 1, visit.number)), local(visit.at)
    if visit.kind == "anticipatory":
        return _about_unborn(rng, visit, group, household)
    named = [first_name(child, household) for child in group.people]
    if visit.notifier == "child":
        story = matters.own_words(rng, _stage(group.people[0].born, at.date()), household)
    else:
        story = tell(rng, _setting(rng, visit, group, household, at), named[1:] and named)
    body = _concern(rng, visit, story)
    body["children"] = [
        stated(rng, child, household, visit.notifier, at.date()) for child in group.people
    ]
    body["notifier"] = _notifier(rng, visit, household, story, body["children"][0])
    if household.turvakielto and visit.notifier not in {"private", "child"}:
        body["observations"] += book().phrases["kinds"]["turvakielto"].get(story.language, "")
    if visit.kind == "notification":
        return body | _of_notification(rng, visit, story)
    return body | matters.OF_KIND[visit.kind](rng, story, at)


def _about_unborn(rng: Random, visit: Visit, group: Group, household: Household) -> dict[str, Any]:
    letter = LETTER_OF[visit.notifier]
    story, body = matters.unborn(rng, letter, group.people[0], household, local(visit.at).date())
    return body | _concern(rng, visit, story) | {
        "notifier": _notifier(rng, visit, household, story, {}),
    }  # fmt: skip


def _setting(
    rng: Random, visit: Visit, group: Group, household: Household, at: datetime
) -> Setting:
    letter, born = LETTER_OF[visit.notifier], group.people[0].born
    stage = _stage(born, at.date())
    if letter == "S":
        stage = max(stage, "1")  # the pre-primary year is spent at school
    language = "sv" if household.swedish else "fi"
    if letter == "V" and not household.swedish and rng.random() < 0.06:
        language = "en"
    return Setting(
        group=_subject(rng, visit, stage, volumes().bands[group.band]),
        letter=letter,
        stage=stage,
        language=language,
        term=in_term(at.date()),
        student=school_age(born, at.date()) >= AFTER_SCHOOL,
        happened=_happened(rng, letter, at, urgent=visit.urgent),
    )


def _stage(born: date, day: date) -> str:
    if (day - born).days < 1096:
        return "b"
    band = events.age_band_on(born, day)
    return str(get_args(events.AgeBand).index(band) - 1)


def _subject(rng: Random, visit: Visit, stage: str, band: Band) -> Subject:
    chance = rng.random()
    if visit.urgent:
        return "urgent"
    if visit.side:
        return "custody"
    if visit.kind == "consultation_request":
        return "psychiatric"
    if visit.kind in matters.CONTACTS:
        return "other"
    if chance < band.custody:
        return "custody"
    small = stage in "b0"
    return "psychiatric" if chance < band.custody + band.psychiatric and not small else "other"


def _happened(rng: Random, letter: str, at: datetime, *, urgent: bool) -> datetime:
    """When what is told of happened: just now if urgent, else in working hours or an evening."""
    if urgent:
        return at - timedelta(minutes=rng.randrange(20, 150))
    if letter in "SDHOK":
        day = at - timedelta(days=rng.randrange(4))
        return day - timedelta(days=max(0, day.weekday() - 4))
    back = rng.randrange(1, 4) if letter != "P" or at.weekday() == 0 else 1
    return (at - timedelta(days=back)).replace(hour=rng.randrange(17, 24), minute=rng.randrange(60))


def _concern(rng: Random, visit: Visit, story: Story) -> dict[str, Any]:
    letter = LETTER_OF[visit.notifier]
    told = rng.random() < 0.85 or story.group != "other" or letter != "V"
    return {
        "observations": story.observations,
        "knowledge": _knowledge(rng, story),
        "reasons": story.reasons if told else (),
        "urgency": _urgency(rng, story, letter),
    }


def _of_notification(rng: Random, visit: Visit, story: Story) -> dict[str, Any]:
    letter = LETTER_OF[visit.notifier]
    body: dict[str, Any] = {
        "right_recipient": "yes" if letter not in "VG" else "unknown",
        "police_report": _police_report(rng, letter, story),
        "family_knows": _family_knows(rng, letter, story),
        "child_knows": "no" if story.stage == "b" else pick(rng, ("yes", "no", "unknown")),
    }
    phrases = book().phrases
    if story.language == "fi" and not visit.urgent:
        if rng.random() < 0.6:
            body["acts_done"] = pick(rng, phrases["acts"][letter]).format_map(story.slots)
        if rng.random() < 0.3:
            age = "small" if story.stage in "b0" else "school_age"
            body["bodies_contacted"] = pick(rng, phrases["contacted"][age])
        if rng.random() < 0.25 and letter not in "PA":
            body["earlier_attempts"] = pick(rng, phrases["earlier"])
    if rng.random() < 0.4:
        body["expectations"] = pick(rng, phrases["expectations"][story.language])
    return body


def _knowledge(rng: Random, story: Story) -> str:
    if story.second_hand:
        return "second_hand"
    return "first_hand" if rng.random() < 0.92 else "unknown"


def _urgency(rng: Random, story: Story, letter: str) -> dict[str, str]:
    sure = 0.5 if letter in "VG" else 0.8
    return {
        name: "yes"
        if name in story.marks
        else "no"
        if not story.marks and rng.random() < sure
        else "unknown"
        for name in events.Urgency.model_fields
    }


def _police_report(rng: Random, letter: str, story: Story) -> str:
    crime = {"assault", "sexual_abuse", "threat_now", "crime"}
    if letter == "P":
        return "yes" if story.name in crime else "no"
    if story.name in crime:
        return "unknown"
    return "no" if rng.random() < 0.8 else "unknown"


def _family_knows(rng: Random, letter: str, story: Story) -> str:
    if letter == "G":
        return "yes"
    if letter == "V" or story.name in {"assault", "sexual_abuse"}:
        return "no" if rng.random() < 0.7 else "unknown"
    return "yes" if rng.random() < 0.75 else "no"


def _notifier(
    rng: Random, visit: Visit, household: Household, story: Story, child: dict[str, Any]
) -> dict[str, Any]:
    kind = visit.notifier
    notifier: dict[str, Any] = {"kind": kind, "language": story.language}
    if kind == "child":
        return notifier | {"name": child["name"], "phone": phone(rng)}
    if kind == "guardian":
        guardian = household.guardians[max(0, visit.side - 1)]
        notifier |= {"name": guardian["name"], "phone": guardian["phone"]}
        return notifier | {"email": mail_of(guardian["name"], kind)}
    if kind == "private":
        if rng.random() < 0.3:
            reasons = words.ANONYMITY_REASONS[story.language]
            return notifier | {"anonymity_reason": pick(rng, reasons)}
        name = f"{pick(rng, words.WOMEN + words.MEN)} {pick(rng, words.SURNAMES)}"
        notifier |= {"name": name, "phone": phone(rng)}
        return notifier | ({"email": mail_of(name, kind)} if rng.random() < 0.7 else {})
    organisation, role = _post(rng, visit, household, small=story.stage in "b0")
    organisation = organisation or child.get("school", words.COUNTY)
    name = colleague(organisation, role, rng.randrange(12))
    notifier |= {"name": name, "organisation": organisation, "role": role, "phone": phone(rng)}
    return notifier | ({"email": mail_of(name, kind)} if rng.random() < 0.95 else {})


def _post(rng: Random, visit: Visit, household: Household, *, small: bool) -> tuple[str, str]:
    if visit.kind == "transfer":
        return pick(rng, words.OTHER_COUNTIES), "sosiaalityöntekijä"
    if visit.kind == "consultation_request":
        return pick(rng, words.CLINICS), "lääkäri"
    letter = LETTER_OF[visit.notifier]
    posts = words.POSTS.get("H small" if letter == "H" and small else letter)
    organisation, role = pick(rng, posts) if posts else words.OTHER_POSTS[visit.notifier]
    of = words.MUNICIPALITIES[household.home.municipality][1]
    return organisation.format(of=of), role


def colleague(organisation: str, role: str, number: int) -> str:
    """The same dozen people work in an office all year."""
    mark = crc32(f"{organisation} {role} {number}".encode())
    names = words.WOMEN + words.MEN
    return f"{names[mark % len(names)]} {words.SURNAMES[mark // 97 % len(words.SURNAMES)]}"


_PLAIN = str.maketrans("åäöÅÄÖ ", "aaoAAO.")


def mail_of(name: str, kind: str) -> str:
    """An address that reaches nobody."""
    domain = words.MAIL_DOMAINS.get(kind, words.OTHER_MAIL_DOMAIN)
    return f"{name.translate(_PLAIN).lower()}@{domain}"


def source_of(visit: Visit, household: Household) -> str:
    """The intake system that a message comes from."""
    if visit.kind == "transfer":
        return "county-1"
    if visit.kind == "consultation_request":
        return "psychiatry-1"
    letter = LETTER_OF[visit.notifier]
    if letter == "S":
        return f"school-{1 + household.home.municipality % 3}"
    if letter in "PH":
        name = "police" if letter == "P" else "health"
        return f"{name}-{1 + visit.number % 2}"
    return {
        "D": "daycare-1",
        "O": "social-1",
        "V": "private-web",
        "G": "private-web",
        "Y": "community-1",
    }.get(letter, "authority-1")
