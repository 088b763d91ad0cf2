"""The same words in the three languages."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.events import Language

Words = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]


class Texts(BaseModel):
    """A text in Finnish, Swedish and English; none may be missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fi: Words
    sv: Words
    en: Words

    def in_language(self, language: Language) -> str:
        text: str = getattr(self, language)
        return text
