"""The client feed: what the client information system knows of one person now.

Each message is the whole state anew. A field that is left out is unknown and never "no": a list
left out is not known, an empty one says that there is nothing. Luotsi judges nothing from it and
starts no clock: a feed is no notification, and clientship is a fact of the other system (CLK-14).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.events import Answer, Clientship, Inbound, Line, Message, Placement, SourceId
from shared.hetu import InvalidHetuError, contains_hetu, parse_hetu


def _checked(value: str) -> str:
    try:
        return parse_hetu(value).value
    except InvalidHetuError as error:
        raise ValueError(f"henkilötunnus: {error}") from None


def _nobodys(value: str) -> str:
    if contains_hetu(value):
        raise ValueError("an id of your own without a henkilötunnus")
    return value


Hetu = Annotated[str, Field(max_length=20), AfterValidator(_checked)]
OwnId = Annotated[SourceId, AfterValidator(_nobodys)]
"""An id of the sending system's own. It travels in the clear, so nobody's henkilötunnus."""

LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]  # ISO 639
LAST_VERSION = 2**53


class ClientPerson(Inbound):
    """Who the client is: a henkilötunnus, or a name with the date of birth.

    `contact_address` lies outside of a turvakielto, `address` within it (law.md TUR-03).
    """

    name: Line | None = None
    hetu: Hetu | None = None
    birth_date: date | None = None
    language: LanguageCode | None = None
    address: Line | None = None
    contact_address: Line | None = None
    phone: Line | None = None

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> "ClientPerson":
        if self.hetu is None and (self.name is None or self.birth_date is None):
            raise ValueError("give the henkilötunnus, or name and birth_date")
        return self


class ClientGuardian(Inbound):
    """One guardian; a parent without custody is no guardian, and can be named all the same."""

    name: Line
    hetu: Hetu | None = None
    custody: Literal["sole", "joint", "none", "unknown"] = "unknown"
    language: LanguageCode | None = None
    phone: Line | None = None
    address: Line | None = None
    contact_address: Line | None = None
    turvakielto: Answer = "unknown"


class Move(Inbound):
    """One move of the client; `kind` is what they moved to."""

    on: date
    from_unit: OwnId | None = None
    to_unit: OwnId | None = None
    kind: Literal["unit", "ward", "home", "unknown"] = "unknown"


class Declaration(Inbound):
    """A consent or a prohibition, by its reference where it is kept (law.md SEC-13 to SEC-15)."""

    kind: Literal["consent", "prohibition"]
    reference: OwnId
    about: Line | None = None
    party: Line | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class ClientState(Message):
    """All that the client information system knows of one person now.

    `reference` is that system's own id of the client; `version` grows with every state it sends.
    """

    reference: OwnId
    version: int = Field(ge=0, le=LAST_VERSION)
    person: ClientPerson
    clientship: Clientship = "unknown"
    since: date | None = None
    responsible_worker: OwnId | None = None
    placement: Placement = "unknown"
    unit: OwnId | None = None
    moves: tuple[Move, ...] | None = Field(default=None, max_length=200)
    household: OwnId | None = None
    guardians: tuple[ClientGuardian, ...] | None = Field(default=None, max_length=10)
    interpreter: Answer = "unknown"
    turvakielto: Answer = "unknown"
    lives_here: Answer = Field(
        default="unknown",
        description="Whether the home municipality (kotikunta) is one of this county.",
    )
    declarations: tuple[Declaration, ...] | None = Field(default=None, max_length=100)
