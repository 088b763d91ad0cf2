"""Writes one planned message, from its own seed, as an intake system would send it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, get_args
from zlib import crc32

import orjson

from deploy.sample import words
from deploy.sample.rhythm import in_term
from deploy.sample.scenes import Group, Setting, Story, book, pick, tell
from deploy.sample.year import (
    BANDS,
    LETTER_OF,
    Band,
    Child,
    ChildGroup,
    Plan,
    Visit,
    seeded,
    weighted,
)
from shared import events, kinds
from shared.clock import HELSINKI
from shared.hetu import FIRST_TEST_NUMBER, make_hetu

CLIENT = 0.33  # of households; nine in ten notifiers know it: 30 % of children are stated clients


@dataclass(frozen=True, slots=True)
class Message:
    """One message as an intake system sends it to Kafka (CloudEvents 1.0, binary mode).

    A repeat has the bytes, headers and key of the first, and a later `at`.
    """

    at: datetime
    source: str
    source_id: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


FIRST_GRADE, SEVENTH_GRADE, AFTER_SCHOOL = 7, 13, 16


class _Household(NamedTuple):
    municipality: int
    swedish: bool
    surname: str
    guardians: list[dict[str, str]]
    address: str
    client: bool
    worker: str


def write(plan: Plan, visit: Visit) -> Message:
    """The message of one visit; the same bytes whenever it is asked for."""
    rng = seeded(_mixed(plan.base, 1, visit.number))
    group = plan.groups[visit.group]
    household = _household(seeded(_mixed(plan.base, 2, group.household)))
    at = datetime.fromtimestamp(visit.at, HELSINKI)
    named = [_first_name(child, household) for child in group.children]
    stated = datetime.fromtimestamp(visit.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    story = tell(rng, _setting(rng, visit, group, household, at), named[1:] and named)
    body = _body(rng, visit, story, stated)
    body["children"] = [
        _child(rng, child, name, household, visit.kind, at.date())
        for child, name in zip(group.children, named, strict=True)
    ]
    body["notifier"] = _notifier(rng, visit.kind, household, story, body["children"][0])
    source = _source(visit, household.municipality)
    source_id = f"{source[:3]}-{at.year}-{rng.getrandbits(64):016x}"
    return Message(
        at=datetime.fromtimestamp(visit.sent, UTC),
        source=source,
        source_id=source_id,
        key=source_id.encode(),
        headers=_headers(source, source_id, stated),
        value=orjson.dumps(body),
    )


def _headers(source: str, source_id: str, stated: str) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", source_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", kinds.NOTIFICATION.type.encode()),
        ("ce_time", stated.encode()),
        ("content-type", b"application/json"),
    ]


def _mixed(base: int, kind: int, number: int) -> int:
    """A seed of its own for each number, by one round of a well-known mixing (splitmix64)."""
    x = (base + kind * 0x9E3779B97F4A7C15 + number * 0xD1342543DE82EF95) & 0xFFFFFFFFFFFFFFFF
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return x ^ (x >> 27)


def _household(rng: Random) -> _Household:
    municipality = weighted(rng, [share for _, _, share in words.MUNICIPALITIES])
    swedish = rng.random() < (0.7 if municipality == words.SWEDISH_MUNICIPALITY else 0.01)
    surname = pick(rng, words.SWEDISH_SURNAMES if swedish else words.SURNAMES)
    street = pick(rng, words.SWEDISH_STREETS if swedish else words.STREETS)
    place = words.MUNICIPALITIES[municipality][0]
    address = f"{street} {rng.randrange(1, 60)} {pick(rng, 'ABCDEF')} {rng.randrange(1, 40)}"
    address = f"{address}, {place}"
    women = words.SWEDISH_WOMEN if swedish else words.WOMEN
    men = words.SWEDISH_MEN if swedish else words.MEN
    guardians = [{"name": f"{pick(rng, women)} {surname}", "phone": _phone(rng)}]
    if rng.random() < 0.7:
        other = surname if rng.random() < 0.6 else pick(rng, words.SURNAMES)
        guardians.append({"name": f"{pick(rng, men)} {other}", "phone": _phone(rng)})
    guardians[0]["address"] = address
    worker = f"{pick(rng, words.WOMEN)} {pick(rng, words.SURNAMES)}"
    return _Household(
        municipality, swedish, surname, guardians, address, rng.random() < CLIENT, worker
    )


def _phone(rng: Random) -> str:
    """A number that cannot exist: 000 begins none."""
    return f"000 {int(rng.random() * 10_000_000):07d}"


def _first_name(child: Child, household: _Household) -> str:
    girl = _individual(child) % 2 == 0  # law.md HET-01
    if household.swedish:
        names = words.SWEDISH_GIRLS if girl else words.SWEDISH_BOYS
    else:
        names = words.GIRLS if girl else words.BOYS
    return names[crc32(b"%d" % (child.number * 7919)) % len(names)]


def _individual(child: Child) -> int:
    return FIRST_TEST_NUMBER + (child.code * 37 + child.born.toordinal() * 13) % 100


def hetu_of(child: Child) -> str:
    """The child's own code: each code of a day stands for another mark and number."""
    day = child.born.toordinal()
    shift = 1 + day // 10 % 5 if day % 10 == 0 else 0  # one day in ten shows the marks of 2023
    mark = "ABCDEF"[(child.code // 100 + shift) % 6]
    return make_hetu(child.born, _individual(child), mark).value


def _setting(
    rng: Random, visit: Visit, group: ChildGroup, household: _Household, at: datetime
) -> Setting:
    letter = LETTER_OF[visit.kind]
    stage = _stage(group.children[0].born, at.date())
    if letter == "S":
        stage = max(stage, "1")  # the pre-primary year is spent at school
    language = "sv" if household.swedish else "fi"
    if letter == "V" and not household.swedish and rng.random() < 0.06:
        language = "en"
    return Setting(
        group="urgent" if visit.urgent else _subject(rng, stage, BANDS[group.band]),
        letter=letter,
        stage=stage,
        language=language,
        term=in_term(at.date()),
        student=_school_age(group.children[0].born, at.date()) >= AFTER_SCHOOL,
        happened=_happened(rng, letter, at, urgent=visit.urgent),
    )


def _stage(born: date, day: date) -> str:
    if (day - born).days < 1096:
        return "b"
    band = events.age_band_on(born, day)
    return str(get_args(events.AgeBand).index(band) - 1)


def _subject(rng: Random, stage: str, band: Band) -> Group:
    chance = rng.random()
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


def _body(rng: Random, visit: Visit, story: Story, stated: str) -> dict[str, Any]:
    letter = LETTER_OF[visit.kind]
    told = rng.random() < 0.85 or story.scene.group != "other" or letter != "V"
    body: dict[str, Any] = {
        "arrived_at": stated,
        "observations": story.observations,
        "knowledge": _knowledge(rng, story),
        "reasons": story.scene.reasons if told else (),
        "urgency": _urgency(rng, story, letter),
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
        if name in story.scene.marks
        else "no"
        if not story.scene.marks and rng.random() < sure
        else "unknown"
        for name in events.Urgency.model_fields
    }


def _police_report(rng: Random, letter: str, story: Story) -> str:
    crime = {"assault", "sexual_abuse", "threat_now", "crime"}
    if letter == "P":
        return "yes" if story.scene.name in crime else "no"
    if story.scene.name in crime:
        return "unknown"
    return "no" if rng.random() < 0.8 else "unknown"


def _family_knows(rng: Random, letter: str, story: Story) -> str:
    if letter == "G":
        return "yes"
    if letter == "V" or story.scene.name in {"assault", "sexual_abuse"}:
        return "no" if rng.random() < 0.7 else "unknown"
    return "yes" if rng.random() < 0.75 else "no"


def _child(
    rng: Random, child: Child, name: str, household: _Household, kind: str, day: date
) -> dict[str, Any]:
    private = kind == "private"
    stated: dict[str, Any] = {"name": f"{name} {household.surname}", "address": household.address}
    if rng.random() < (0.12 if private else 0.009):
        if rng.random() < 0.5:
            stated["birth_date"] = child.born.isoformat()
    else:
        stated["hetu"] = hetu_of(child)
    if not private or rng.random() < 0.5:
        stated["guardians"] = household.guardians
    if not private:
        stated["school"] = _school(child, household, day)
    known = rng.random() < (0.6 if private else 0.92)
    if household.client and known:
        stated["is_client"] = "yes"
        if kind in {"social_care", "education", "health_care", "guardian"}:
            stated["own_worker"] = household.worker
    else:
        stated["is_client"] = "no" if known and rng.random() < 0.5 else "unknown"
    return stated


def _school_age(born: date, day: date) -> int:
    """The age a child reaches in the calendar year in which the school year began."""
    return day.year - (day.month < 8) - born.year


def _school(child: Child, household: _Household, day: date) -> str:
    place, of, _ = words.MUNICIPALITIES[household.municipality]
    swedish = household.swedish and household.municipality == words.SWEDISH_MUNICIPALITY
    age = _school_age(child.born, day)
    if age < FIRST_GRADE:
        day_care = words.DAY_CARES[child.number % len(words.DAY_CARES)]
        return words.SWEDISH_DAY_CARE if swedish else f"{place}, {day_care}"
    if age < SEVENTH_GRADE:
        primary = words.PRIMARY_SCHOOLS[child.number % len(words.PRIMARY_SCHOOLS)]
        return words.SWEDISH_SCHOOLS[0] if swedish else f"{of} {primary}"
    if age < AFTER_SCHOOL:
        return words.SWEDISH_SCHOOLS[1] if swedish else f"{of} yhtenäiskoulu"
    return words.SWEDISH_COLLEGE if swedish else words.COLLEGES[child.number % 2]


def _notifier(
    rng: Random, kind: str, household: _Household, story: Story, child: dict[str, Any]
) -> dict[str, Any]:
    notifier: dict[str, Any] = {"kind": kind, "language": story.language}
    if kind == "guardian":
        guardian = household.guardians[0]
        notifier |= {"name": guardian["name"], "phone": guardian["phone"]}
        return notifier | {"email": _mail(guardian["name"], kind)}
    if kind == "private":
        if rng.random() < 0.3:
            reasons = words.ANONYMITY_REASONS[story.language]
            return notifier | {"anonymity_reason": pick(rng, reasons)}
        name = f"{pick(rng, words.WOMEN + words.MEN)} {pick(rng, words.SURNAMES)}"
        notifier |= {"name": name, "phone": _phone(rng)}
        return notifier | ({"email": _mail(name, kind)} if rng.random() < 0.7 else {})
    organisation, role = _post(rng, kind, household, small=story.stage in "b0")
    organisation = organisation or child.get("school", words.COUNTY)
    name = _colleague(organisation, role, rng.randrange(12))
    notifier |= {"name": name, "organisation": organisation, "role": role, "phone": _phone(rng)}
    return notifier | ({"email": _mail(name, kind)} if rng.random() < 0.95 else {})


def _post(rng: Random, kind: str, household: _Household, *, small: bool) -> tuple[str, str]:
    letter = LETTER_OF[kind]
    posts = words.POSTS.get("H small" if letter == "H" and small else letter)
    organisation, role = pick(rng, posts) if posts else words.OTHER_POSTS[kind]
    return organisation.format(of=words.MUNICIPALITIES[household.municipality][1]), role


def _colleague(organisation: str, role: str, number: int) -> str:
    """The same dozen people work in an office all year."""
    mark = crc32(f"{organisation} {role} {number}".encode())
    names = words.WOMEN + words.MEN
    return f"{names[mark % len(names)]} {words.SURNAMES[mark // 97 % len(words.SURNAMES)]}"


_PLAIN = str.maketrans("åäöÅÄÖ ", "aaoAAO.")


def _mail(name: str, kind: str) -> str:
    domain = words.MAIL_DOMAINS.get(kind, words.OTHER_MAIL_DOMAIN)
    return f"{name.translate(_PLAIN).lower()}@{domain}"


def _source(visit: Visit, municipality: int) -> str:
    letter = LETTER_OF[visit.kind]
    if letter == "S":
        return f"school-{1 + municipality % 3}"
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
