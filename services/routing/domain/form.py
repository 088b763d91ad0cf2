"""The words of the questions and who can answer each, as their owner wrote them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.routing.domain.facts import QUESTIONS
from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.files import content_of, faults_of_form
from services.routing.domain.tables.written import newest
from services.routing.domain.texts import Texts, Words

NAME: Final = "questions"
AnsweredBy = Literal["notifier", "school", "family", "own_worker", "health_care"]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Written):
    """What is asked about one thing that may be unknown (`facts.QUESTIONS`)."""

    id: str
    text: Texts
    answered_by: Annotated[tuple[AnsweredBy, ...], Field(min_length=1)]


class Form(_Written):
    """All questions of one version."""

    version: str
    owner: Words
    questions: tuple[Question, ...]

    def by_id(self) -> Mapping[str, Question]:
        return {question.id: question for question in self.questions}


def load_form(directory: Path) -> Form:
    """The newest version of the questions, `questions/<version>.yaml`.

    Raises `TablesRefusedError` with every fault: what is out of form, what is asked that cannot be,
    or is not asked once that can.
    """
    path = newest(directory, NAME)
    file = f"{NAME}/{path.name}"
    content = content_of(path, file)
    try:
        form = Form.model_validate(content)
    except ValidationError as error:
        raise TablesRefusedError(faults_of_form(error, content, file)) from None
    faults = [*_faults(form, path.stem, file)]
    if faults:
        raise TablesRefusedError(faults)
    return form


def _faults(form: Form, version: str, file: str) -> Iterator[Fault]:
    if form.version != version:
        said = {"table": NAME, "version": form.version}
        yield Fault("not-this-file", file, names=said)
    asked = [question.id for question in form.questions]
    for name in dict.fromkeys(asked):
        if name not in QUESTIONS:
            yield Fault("question-unknown", file, name)
        elif asked.count(name) > 1:
            yield Fault("question-twice", file, name)
    for name in QUESTIONS:
        if name not in asked:
            proposal = _PROPOSED.format(name=name)
            yield Fault("question-missing", file, names={"question": name}, proposal=proposal)


_PROPOSED = """\
  - id: {name}
    text: {{ fi: "", sv: "", en: "" }}
    answered_by: []"""
