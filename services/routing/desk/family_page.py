"""A decision in plain words for a family: what a worker can print and hand over after a checklist.

What may stand here is decided in `domain/for_family.py`. Sentences are short and speak to the
reader; reasons are the texts of the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.routing.desk import words as labels
from services.routing.desk.explanations import Stored, Version, decision_of
from services.routing.desk.languages import N_, Words
from services.routing.desk.rules import version_in_words
from services.routing.domain.for_family import ForFamily, Otherwise, Part


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; `points` are listed after its `texts`, and `after` follows them."""

    heading: str
    texts: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FamilyPage:
    """The page in one language."""

    language: str
    title: str
    texts: tuple[str, ...]
    sections: tuple[Section, ...]


def family_page(row: Stored, version: Version, words: Words) -> FamilyPage:
    """A family's version of a stored decision, made of nothing but its row and the rules.

    It bears no date: the day of a screening can be that of a message about somebody else.
    """
    told = version.family.explain(decision_of(row))
    return FamilyPage(
        words.language,
        words.text("Why this is proposed for you"),
        (
            words.text("This page tells why your matter goes on in this way."),
            words.text(
                "Luotsi is a computer program. It only makes proposals. A worker always decides, "
                "and may decide otherwise."
            ),
        ),
        (
            _proposed(told, words), _why(told, words), _not_known(told, words),
            _otherwise(told, words), _your_rights(words), _rules(row, words),
        ),
    )  # fmt: skip


_HOLDERS: Mapping[str, str] = {
    "duty": N_("The duty desk takes care of the matter now."),
    "own_worker": N_("The child's own worker takes care of the matter."),
    "initial_assessment": N_(
        "The matter goes to the initial assessment. There it is found out what help is needed."
    ),
    "person_decides": N_("A worker chooses who takes care of the matter."),
}
_LEVELS: Mapping[str, str] = {
    "perus": N_("Level: basic. Ordinary help near you may be enough."),
    "erityis": N_("Level: special. Help from people with special knowledge may be needed."),
    "vaativa": N_("Level: demanding. Several experts may be needed together."),
}
_UNKNOWN: Mapping[str, str] = {
    "a1": N_("Is there a worry about the child's health?"),
    "a2": N_("Is there a worry about how the child feels?"),
    "a3": N_("Does the child have neuropsychiatric difficulties, such as ADHD?"),
    "a5": N_("Is there a worry about school or everyday life?"),
    "a10": N_("Have services not helped as they should, or sent you from one to another?"),
    "support_tried": N_("Has help been tried that was not enough?"),
    "referral_returned": N_("Has a service returned or refused a referral?"),
    "is_client": N_("Is the child a client of child protection already?"),
}
_IF: Mapping[tuple[str, str], str] = {
    ("a1", "yes"): N_("if there were a worry about the child's health"),
    ("a1", "no"): N_("if there were no worry about the child's health"),
    ("a2", "yes"): N_("if there were a worry about how the child feels"),
    ("a2", "no"): N_("if there were no worry about how the child feels"),
    ("a3", "yes"): N_("if the child had neuropsychiatric difficulties"),
    ("a3", "no"): N_("if the child had no neuropsychiatric difficulties"),
    ("a5", "yes"): N_("if there were a worry about school or everyday life"),
    ("a5", "no"): N_("if there were no worry about school or everyday life"),
    ("a10", "yes"): N_("if services had not helped as they should"),
    ("a10", "no"): N_("if services had helped as they should"),
    ("support_tried", "yes"): N_("if help had been tried and had not been enough"),
    ("support_tried", "no"): N_("if earlier help had been enough, or none had been tried"),
    ("referral_returned", "yes"): N_("if a service had returned or refused a referral"),
    ("referral_returned", "no"): N_("if no service had returned or refused a referral"),
    ("is_client", "yes"): N_("if the child were a client of child protection already"),
    ("is_client", "no"): N_("if the child were no client of child protection"),
    ("urgency", "urgent"): N_("if a worker had judged the matter urgent"),
    ("urgency", "not_urgent"): N_("if a worker had judged that the matter is not urgent"),
}


_NAMES = ("palasista_eteenpain", "lapsen_hyva", "lets_talk", "ot_support", "barnahus")


def _in_a_sentence(destination: str, words: Words) -> str:
    """A destination within a sentence: what is a model's own name keeps its capital."""
    name = words.of(labels.DESTINATIONS, destination)
    return name if destination in _NAMES else name[0].lower() + name[1:]


def _proposed(told: ForFamily, words: Words) -> Section:
    texts = [words.of(_HOLDERS, told.holder), words.of(_LEVELS, told.level)]
    texts.append(
        words.text(
            "The level is no grade of the child or the family. It helps to find the right help."
        )
    )
    for each in told.destinations:
        what = _in_a_sentence(each, words)
        texts.append(words.text("This is proposed besides: %(what)s.") % {"what": what})
    return Section(words.text("What is proposed"), tuple(texts))


def _why(told: ForFamily, words: Words) -> Section:
    reasons = [text.in_language(words.language) for _, text in told.reasons]
    rest = words.text(
        "Perhaps not all reasons are on this page. The worker tells you about the others, "
        "if the law allows it."
    )
    return Section(words.text("Why"), points=tuple(dict.fromkeys(reasons)), after=(rest,))


def _not_known(told: ForFamily, words: Words) -> Section:
    heading = words.text("What is not known yet")
    if not told.unknown:
        return Section(heading, (words.text("Everything that this page tells about is known."),))
    points = tuple(words.of(_UNKNOWN, name) for name in told.unknown)
    return Section(
        heading, points=points, after=(words.text("You may tell the worker about these."),)
    )


def _otherwise(told: ForFamily, words: Words) -> Section:
    heading = words.text("What would have changed the proposal")
    if not told.otherwise:
        return Section(
            heading,
            (words.text("Nothing on this page would have changed the proposal by itself."),),
        )
    return Section(heading, points=tuple(_if(each, words) for each in told.otherwise))


def _if(each: Otherwise, words: Words) -> str:
    ifs = words.text(" and ").join(
        words.text(_IF[change.name, str(change.would)]) for change in each.way
    )
    then = [_then(part, words) for part in each.parts if part.name in ("level", "holder")]
    gone = [part.name for part in each.parts if part.name not in ("level", "holder")]
    if gone:
        what = ", ".join(_in_a_sentence(name, words) for name in gone)
        then.append(words.text("this would not be proposed: %(what)s") % {"what": what})
    return f"{ifs[0].upper()}{ifs[1:]}: {'; '.join(then)}."


def _then(part: Part, words: Words) -> str:
    if part.name == "level":
        if part.becomes is None:
            return words.text("the level would be another")
        return words.of(_LEVEL_WOULD, part.becomes)
    if part.becomes is None:
        return words.text("somebody else would take care of the matter")
    return words.of(_HOLDER_WOULD, part.becomes)


_LEVEL_WOULD: Mapping[str, str] = {
    "perus": N_("the level would be basic"),
    "erityis": N_("the level would be special"),
    "vaativa": N_("the level would be demanding"),
}
_HOLDER_WOULD: Mapping[str, str] = {
    "duty": N_("the duty desk would take care of the matter"),
    "own_worker": N_("the child's own worker would take care of the matter"),
    "initial_assessment": N_("the matter would go to the initial assessment"),
    "person_decides": N_("a worker would choose who takes care of the matter"),
}


def _your_rights(words: Words) -> Section:
    return Section(
        words.text("What you can do"),
        points=(
            words.text("You and the child may tell how you see the matter."),
            words.text("If something here is wrong, tell the worker."),
            words.text("You may ask to see what has been written about you."),
            words.text("In an emergency call 112."),
        ),
    )


def _rules(row: Stored, words: Words) -> Section:
    return Section(
        words.text("About the rules"),
        (
            words.text("The rules are the county's own construction. They are not THL's OT-seula."),
            words.text("They give the child no points and no number."),
            words.text("Version of the rules: %(version)s")
            % {"version": version_in_words(row["rules"], words)},
        ),
    )
