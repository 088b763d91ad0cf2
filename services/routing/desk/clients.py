"""What the client information system says of a child, as a person reads it on the case page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.routing.desk import store

NOT_KNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClientView:
    """One reference of the child. `card` is None where it was not opened or is erased."""

    row: store.Row
    card: Mapping[str, Any] | None = None

    def said(self, field: str) -> Any:
        """A value of the sealed card; None where the feed has not said it."""
        return (self.card or {}).get(field)

    @property
    def person(self) -> Mapping[str, Any]:
        """The person as that system knows them."""
        return self.said("person") or {}


def protection(clients: Sequence[ClientView]) -> str:
    """Whether a turvakielto is known of: "no" only where every reference says so."""
    said = {client.row["turvakielto"] for client in clients}
    return "yes" if "yes" in said else "no" if said == {"no"} else NOT_KNOWN
