"""The words of the questions and who can answer each, as their owner wrote them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from services.routing.domain.facts import QUESTIONS
from services.routing.domain.tables.written import Loader, in_order
from services.routing.domain.texts import Texts, Words

AnsweredBy = Literal["notifier", "school", "family", "own_worker", "health_care"]


class FormRefusedError(ValueError):
    """The questions must not go live; the message names the file, the question and the mend."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Written):
    """What is asked about one thing that may be unknown (`facts.QUESTIONS`)."""

    id: str
    text: Texts
    answered_by: tuple[AnsweredBy, ...]


class Form(_Written):
    """All questions of one version."""

    version: str
    owner: Words
    questions: tuple[Question, ...]

    def by_id(self) -> Mapping[str, Question]:
        return {question.id: question for question in self.questions}


def load_form(directory: Path) -> Form:
    """The newest version of the questions, `questions/<version>.yaml`.

    Raises `FormRefusedError` where a text or a question is missing, or one is not known.
    """
    path = max((directory / "questions").glob("*.yaml"), key=in_order, default=None)
    if path is None:
        raise FormRefusedError(f"questions: no version was found in {directory.name}/questions")
    where = f"questions/{path.name}"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 -- it is safe
        form = Form.model_validate(content)
    except yaml.YAMLError as error:
        raise FormRefusedError(f"{where}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise FormRefusedError(f"{where}: {place}: {problem['msg']}") from None
    asked = [question.id for question in form.questions]
    for name in {*asked} - {*QUESTIONS}:
        raise FormRefusedError(f"{where}: {name} is nothing that can be asked; remove it")
    for name in QUESTIONS:
        if asked.count(name) != 1:
            raise FormRefusedError(f"{where}: {name} must be asked once; write one question for it")
    return form
