"""Puts a notification's text together from scenes.yaml, with reasons and urgency that suit it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeVar

import yaml

from deploy.sample import words

T = TypeVar("T")
Subject = Literal["urgent", "custody", "psychiatric", "other"]
LETTERS = "PSDHOVYAKG"
STAGES = "b0123"
LANGUAGES = ("fi", "sv", "en")
_SOURCE = Path(__file__).with_name("scenes.yaml")

Lines = dict[tuple[str, str, str], tuple[str, ...]]  # (language, letter, stage) -> texts


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of situation, with everything that may be written about it."""

    name: str
    group: str
    weight: float
    term: bool
    reasons: tuple[str, ...]
    marks: frozenset[str]
    lines: Lines
    details: Lines


@dataclass(frozen=True, slots=True)
class Setting:
    """Who writes about whom, and when what they tell of happened (Helsinki time)."""

    group: Subject
    letter: str
    stage: str
    language: str
    term: bool
    student: bool  # past comprehensive school
    happened: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """What a notifier writes: the text, and what of it is coded."""

    name: str
    group: str
    reasons: tuple[str, ...]
    marks: frozenset[str]
    stage: str
    language: str
    observations: str
    second_hand: bool
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Book:
    """scenes.yaml, indexed."""

    scenes: tuple[Scene, ...]
    phrases: dict[str, Any]
    choices: dict[tuple[str, str, str, str, bool], tuple[tuple[Scene, ...], tuple[float, ...]]]


@lru_cache(maxsize=1)
def book() -> Book:
    """Read scenes.yaml once."""
    raw = yaml.safe_load(_SOURCE.read_text(encoding="utf-8"))
    scenes = tuple(_scene(item) for item in raw.pop("scenes"))
    choices = {}
    for scene in scenes:
        for language, letter, stage in scene.lines:
            for term in (True, False):
                key = (scene.group, letter, stage, language, term)
                if key not in choices:
                    fitting = tuple(s for s in scenes if _fits(s, key))
                    choices[key] = fitting, tuple(accumulate(s.weight for s in fitting))
    return Book(scenes, raw, {key: found for key, found in choices.items() if found[0]})


def tell(rng: Random, setting: Setting, siblings: Sequence[str]) -> Story:
    """Write a text for `setting`; `siblings` are the first names if there are several children."""
    scene, language = _choose(rng, setting)
    slots = _slots(rng, setting, language)
    where = (language, setting.letter, setting.stage)
    phrases = book().phrases
    parts = [
        pick(rng, phrases["openings"][language][setting.letter]),
        pick(rng, scene.lines[where]),
    ]
    details = scene.details.get(where, ())
    parts += rng.sample(details, min(len(details), rng.randrange(3)))
    second_hand = setting.letter not in "PG" and rng.random() < 0.15
    if second_hand:
        parts.append(pick(rng, phrases["second_hand"][language]))
    if siblings:
        parts.append(pick(rng, phrases["siblings"][language]))
        slots["names"] = _listed(siblings, language)
    text = " ".join(parts).format_map(slots)
    return Story(
        scene.name, scene.group, scene.reasons, scene.marks, setting.stage, language, text,
        second_hand, slots,
    )  # fmt: skip


def pick(rng: Random, items: Sequence[T]) -> T:
    """One of the items; several times faster than `rng.choice`."""
    return items[int(rng.random() * len(items))]


def _choose(rng: Random, setting: Setting) -> tuple[Scene, str]:
    for language in (setting.language, "fi"):
        key = (setting.group, setting.letter, setting.stage, language, setting.term)
        found = book().choices.get(key)
        if found:
            return rng.choices(found[0], cum_weights=found[1])[0], language
    raise LookupError(f"scenes.yaml has nothing for {setting}")


def _fits(scene: Scene, key: tuple[str, str, str, str, bool]) -> bool:
    group, letter, stage, language, term = key
    return (
        scene.group == group
        and (language, letter, stage) in scene.lines
        and (term or not scene.term)
    )


def _scene(item: dict[str, Any]) -> Scene:
    lines: Lines = {}
    for language, name in (("fi", "lines"), ("sv", "sv"), ("en", "en")):
        lines.update(_lines(language, item.get(name, ()), item["stages"]))
    return Scene(
        name=item["name"],
        group=item["group"],
        weight=float(item["weight"]),
        term=item.get("term", False),
        reasons=tuple(f"LOCAL-REASON-{reason}" for reason in item["reasons"]),
        marks=frozenset(item.get("marks", ())),
        lines=lines,
        details=_lines("fi", item.get("details", ()), item["stages"]),
    )


def _lines(language: str, items: Sequence[dict[str, str]], stages: str) -> Lines:
    lines: dict[tuple[str, str, str], list[str]] = {}
    for item in items:
        for who, text in item.items():
            letters, _, limited = who.partition("/")
            for letter in letters:
                for stage in limited or stages:
                    lines.setdefault((language, letter, stage), []).append(text)
    return {where: tuple(texts) for where, texts in lines.items()}


def _slots(rng: Random, setting: Setting, language: str) -> dict[str, str]:
    slots = dict(_noun_slots(_noun(setting, language)))
    happened = setting.happened
    clock = f"{happened.hour}.{happened.minute // 5 * 5:02d}"
    slots["day"] = words.WEEKDAYS[language][happened.weekday()]
    slots["clock"] = f"{'klo' if language == 'fi' else 'kl.'} {clock}"
    months = words.SINCE["sv" if language == "sv" else "fi"]
    slots["since"] = months[(happened.month - 1 - rng.randrange(1, 5)) % 12]
    slots["hours"] = str(rng.randrange(32, 140))
    slots["count"] = str(rng.randrange(2, 6))
    return slots


def _noun(setting: Setting, language: str) -> str:
    young = setting.stage in "b01"
    if language == "sv":
        return "eleven" if setting.letter == "S" else "barnet" if young else "ungdomen"
    if setting.letter == "S":
        return "opiskelija" if setting.student else "oppilas"
    return "lapsi" if young else "nuori"


@lru_cache
def _noun_slots(noun: str) -> dict[str, str]:
    forms = dict(zip(words.CASES, words.CHILD_WORDS[noun], strict=False))
    return forms | {name.capitalize(): form.capitalize() for name, form in forms.items()}


def _listed(names: Sequence[str], language: str) -> str:
    last = {"fi": " ja ", "sv": " och ", "en": " and "}[language]
    return ", ".join(names[:-1]) + last + names[-1]
