"""What the other kinds of messages say besides a notification's words; texts in scenes.yaml."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from deploy.sample import words
from deploy.sample.families import Household, hetu_of, phone
from deploy.sample.scenes import Story, book, pick
from deploy.sample.volumes import volumes
from deploy.sample.year import Person

CONTACTS: Final = frozenset({"joint_contact", "contact", "application"})
_ROLES = ("victim", "suspect", "present", "present")
_CONSENTS = ("yes", "yes", "yes", "unknown")


def _said(kind: str, name: str, language: str) -> list[Any]:
    texts: Mapping[str, list[Any]] = book().phrases["kinds"][kind][name]
    return texts.get(language) or texts["fi"]


def joint_contact(rng: Random, story: Story, _: datetime) -> dict[str, Any]:
    """Made with the family (LSL 25 a §); a child of school age may be with it."""
    body: dict[str, Any] = {
        "made_with": ["guardian"],
        "grounds": pick(rng, _said("joint_contact", "grounds", story.language)),
    }
    if story.stage in "23" and rng.random() < 0.5:
        body["made_with"] = ["guardian", "child"] if rng.random() < 0.7 else ["child"]
    if rng.random() < 0.7:
        body["support_wished"] = pick(rng, _said("joint_contact", "support", story.language))
    return body


def contact(rng: Random, story: Story, _: datetime) -> dict[str, Any]:
    """Made without the family (SHL 35 §): with consent, or a ground to do without."""
    if rng.random() < 0.6:
        return {"consent": "yes"}
    grounds = _said("contact", "grounds", story.language)
    return {"consent": pick(rng, ("no", "unknown")), "ground_without_consent": pick(rng, grounds)}


def application(rng: Random, story: Story, _: datetime) -> dict[str, Any]:
    """What is applied for; a child wishes to meet somebody."""
    wish = "meeting" if story.name == "own" else "services"
    body = {"services_wished": pick(rng, _said("application", wish, story.language))}
    if story.name == "own" or rng.random() < 0.3:
        body["hearing_wished"] = "yes"
    return body


def police_report(rng: Random, _: Story, at: datetime) -> dict[str, Any]:
    """A copy of a police report; its number is of no real series."""
    return {
        "report_number": f"ESIM/{at.year}/{rng.randrange(1_000_000):06d}",
        "role": pick(rng, _ROLES),
        "heard_by_police": pick(rng, ("yes", "no", "no", "unknown")),
    }


def consultation_request(rng: Random, _: Story, __: datetime) -> dict[str, Any]:
    """Psychiatry asks."""
    return {
        "question": pick(rng, book().phrases["kinds"]["consultation_request"]["questions"]),
        "clinic": pick(rng, words.CLINICS),
        "consent": pick(rng, _CONSENTS),
    }


def transfer(rng: Random, story: Story, at: datetime) -> dict[str, Any]:
    """From another county, which got it some days before."""
    texts = book().phrases["kinds"]["transfer"]
    first = (at - timedelta(hours=rng.randrange(3, 240))).replace(microsecond=0)
    return {
        "observations": f"{pick(rng, texts['openings'])} {story.observations}",
        "knowledge": "second_hand",
        "from_county": pick(rng, words.OTHER_COUNTIES),
        "first_received_at": first.isoformat(),
        "assessment_started": pick(rng, ("yes", "no", "no", "unknown")),
        "acts_done": pick(rng, texts["acts"]),
    }


OF_KIND: Final[dict[str, Callable[[Random, Story, datetime], dict[str, Any]]]] = {
    "joint_contact": joint_contact,
    "contact": contact,
    "application": application,
    "police_report": police_report,
    "consultation_request": consultation_request,
    "transfer": transfer,
}


def own_words(rng: Random, stage: str, household: Household) -> Story:
    """What a child writes who applies for itself."""
    language = "sv" if household.swedish else "fi"
    found = pick(rng, _said("application", "child", language))
    return _told("own", found, stage, language)


def unborn(
    rng: Random, letter: str, parent: Person, household: Household, day: date
) -> tuple[Story, dict[str, Any]]:
    """An anticipatory notification: the words, and what only this kind has."""
    texts = book().phrases["kinds"]["anticipatory"]
    story = _told("unborn", pick(rng, texts["lines"][letter]), "b", "fi")
    expecting = {"name": household.guardians[0]["name"], "phone": phone(rng)}
    if not household.turvakielto:
        expecting["address"] = household.home.address
    if rng.random() < volumes().expecting_known:
        expecting["hetu"] = hetu_of(parent)
    if household.client and rng.random() < 0.5:
        expecting["is_client"] = "yes"
    body = {
        "parent": expecting,
        "support_after_birth": pick(rng, texts["support"]),
        "family_knows": pick(rng, ("yes", "yes", "no", "unknown")),
    }
    if rng.random() < 0.85:
        body["due_date"] = (day + timedelta(days=rng.randrange(14, 170))).isoformat()
    return story, body


def _told(name: str, found: Mapping[str, Any], stage: str, language: str) -> Story:
    reasons = tuple(f"LOCAL-REASON-{reason}" for reason in found["reasons"])
    return Story(
        name, "other", reasons, frozenset(), stage, language, found["text"],
        second_hand=False, slots={},
    )  # fmt: skip


def withdrawal(rng: Random, earlier: str) -> dict[str, Any]:
    """The source takes an earlier message back."""
    reason = pick(rng, book().phrases["kinds"]["withdrawal"])
    return {"withdraws": earlier, "reason": reason}


def correction(
    rng: Random, earlier: str, content: dict[str, Any], codes: list[str]
) -> dict[str, Any]:
    """The whole content anew, with what was mended: a missing code is given now, if one was."""
    texts: Mapping[str, list[str]] = book().phrases["kinds"]["correction"]
    language: str = content["notifier"]["language"]
    content["observations"] += pick(rng, texts[language])
    for child, code in zip(content.get("children", ()), codes, strict=False):
        child["hetu"] = code
        child.pop("birth_date", None)
    return content | {"corrects": earlier}
