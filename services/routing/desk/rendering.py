"""From values to HTML: one Jinja environment per language, everything escaped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.routing.desk import words as labels
from services.routing.desk.languages import LANGUAGES, Words, choose, words
from services.routing.desk.queues import ALWAYS_SHOWN, QUEUES, Listed
from services.routing.desk.rules import TITLES, changed_in_words, version_in_words
from services.routing.desk.sessions import Worker
from services.routing.desk.store import COUNTED_TO
from services.routing.domain.tasks import TASKS
from shared.clock import HELSINKI, Clock
from shared.events import Language

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "luotsi_language"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Rota:
    """The duty rota as a supervisor is told of it: its gaps within a week, the next first."""

    known: bool
    gaps: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A request as pages see it: who asks, in which language, with which form token."""

    request: Request
    words: Words
    demo: bool
    clock: Clock
    worker: Worker | None = None
    token: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    rota: Rota | None = None

    def render(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """The page, remembering the language where it was asked for."""
        now = self.clock()
        text = (
            _environment(self.words.language)
            .get_template(template)
            .render(
                {
                    "worker": self.worker,
                    "token": self.token,
                    "counts": self.counts,
                    "rota": self.rota,
                    "demo": self.demo,
                    "now": now,
                    "now_local": now.astimezone(HELSINKI).strftime("%Y-%m-%dT%H:%M"),
                    "here": self.request.url.path if self.request.method == "GET" else "/",
                    "queue": None,
                    "said": None,
                    **context,
                }
            )
        )
        response = HTMLResponse(text, status)
        if self.request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, self.words.language, max_age=YEAR, samesite="strict", path="/",
                httponly=True, secure=self.request.url.scheme == "https",
            )  # fmt: skip
        return response


def language_of(request: Request) -> Words:
    """The words this request is answered in."""
    return words(
        choose(
            request.query_params.get("lang"),
            request.cookies.get(LANGUAGE_COOKIE),
            request.headers.get("accept-language"),
        )
    )


@lru_cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    in_words = words(language)
    environment.filters["dom"] = dom_id
    environment.filters["date"] = date.fromisoformat
    environment.filters["moment"] = datetime.fromisoformat
    environment.globals.update(
        {
            "w": in_words,
            "_": in_words.text,
            "n_": in_words.count,
            "labels": labels,
            "tasks": TASKS,
            "languages": LANGUAGES,
            "held": tuple(queue for queue in QUEUES if queue not in labels.DESTINATIONS),
            "destinations": tuple(queue for queue in QUEUES if queue in labels.DESTINATIONS),
            "always_shown": ALWAYS_SHOWN,
            "proposed": proposed,
            "queue_name": _queue_name(in_words),
            "answer_name": _answer_name(in_words),
            "rules_name": partial(version_in_words, words=in_words),
            "rules_changed": partial(changed_in_words, words=in_words),
            "rule_tables": TITLES,
            "missing_words": partial(labels.missing_words, in_words),
            "counted": counted,
            "counted_page": counted_page,
            "seen": seen,
        }
    )
    return environment


def dom_id(key: str) -> str:
    """A key as part of an element's id."""
    return "".join(letter if letter.isalnum() else "-" for letter in key)


def proposed(counts: Mapping[str, int]) -> int:
    """How many proposals wait for an answer, of all destinations together."""
    return sum(number for queue, number in counts.items() if queue in labels.DESTINATIONS)


def counted(number: int) -> str:
    """A count that was stopped at its limit says so."""
    return f"{COUNTED_TO}+" if number >= COUNTED_TO else str(number)


def counted_page(page: Listed) -> str:
    """How many rows a list shows, and whether there are more."""
    return f"{len(page.items)}+" if page.next else str(len(page.items))


def seen(page: Listed) -> str:
    """What an open page shows of a list, for the question what has changed."""
    return orjson.dumps(
        {
            "section": page.section.name,
            "after": page.after,
            "last": page.items[-1].position if page.items else "",
            "more": page.next is not None,
            "keys": [item.key for item in page.items],
        }
    ).decode()


def _queue_name(in_words: Words) -> Callable[[str], str]:
    names = {**labels.HOLDERS, **labels.DESTINATIONS}
    return lambda code: in_words.of(names, code)


def _answer_name(in_words: Words) -> Callable[[str], str]:
    names = {
        **labels.TOLD_BY, **labels.HOLDERS, **labels.PROPOSAL_STATES, **labels.GROUNDS,
        **labels.URGENCIES, **labels.ANSWERS, **labels.LEVELS,
    }  # fmt: skip
    return lambda code: in_words.of(names, code)
