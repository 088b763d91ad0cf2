"""What is kept of children as messages come: traits, and who shares a home within a message.

It stands on the way of every message, so it is one statement for a batch, and none where nobody
is new.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from services.intake import store as intake
from services.intake.alike import store
from services.intake.alike.store import TraitRow
from services.intake.domain.households import sharing
from services.intake.domain.told import AboutChild
from services.intake.domain.traits import (
    WITH_ADDRESS,
    Described,
    TraitKind,
    notified_home,
    traits_of,
)
from shared.database import Connection
from shared.ids import random_id
from shared.sealing import Sealer

Place = tuple[int, int]  # a message's place in a batch, a child's in the message
_HASHED_AS = {kind: f"trait-{kind:d}" for kind in TraitKind}


async def keep_traits(
    tx: Connection,
    sealer: Sealer,
    described: Iterable[tuple[UUID, Described]],
    made: Collection[UUID] = (),
) -> None:
    """Remember these children by keyed hashes of what was told of them.

    `made`: the children whom this transaction has made.
    """
    rows = {row for child, told in described for row in _hashed(sealer, child, told)}
    new = {row for row in rows if row.child in made}
    await store.add_new_traits(tx, new)
    await store.add_traits(tx, rows - new)


def _hashed(sealer: Sealer, child: UUID, told: Described) -> list[TraitRow]:
    """64 bits of each hash are enough: a collision would be one needless suggestion."""
    hashed, number = sealer.keys.lookup_hash, int.from_bytes
    return [
        TraitRow(child, kind, number(hashed(_HASHED_AS[kind], value)[:8], "big", signed=True))
        for kind, value in traits_of(told)
    ]


async def forget_addresses(tx: Connection, children: Collection[UUID]) -> None:
    """A turvakielto is known of: no address leads to these children any more."""
    await store.forget_traits(tx, children, WITH_ADDRESS)


async def households(
    tx: Connection,
    sealer: Sealer,
    told: Sequence[Sequence[AboutChild]],
    children: Mapping[Place, UUID],
) -> dict[Place, UUID]:
    """The household of every child who shares a home with another child of its message.

    Its id is random, and the same again for the same children.
    """
    digests: dict[Place, bytes] = {}
    for place, about in enumerate(told):
        if len(about) > 1:
            named = [child.named for child in about]
            shared = sharing([notified_home(child) for child in named if child is not None])
            for first in set(shared) - {None}:
                members = [(place, i) for i, each in enumerate(shared) if each == first]
                ids = sorted({str(children[member]) for member in members})
                if len(ids) > 1:
                    digest = sealer.keys.lookup_hash("message-household", "\0".join(ids))
                    digests |= dict.fromkeys(members, digest)
    if not digests:
        return {}
    found = await intake.households(tx, [(d, random_id()) for d in set(digests.values())])
    return {member: found[digest] for member, digest in digests.items()}
