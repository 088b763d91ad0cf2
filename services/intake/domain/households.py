"""Which children of one message share a home, as far as the message shows it. Pure."""

from collections.abc import Sequence

from services.intake.domain.traits import Home


def sharing(homes: Sequence[Home]) -> list[int | None]:
    """For each child the place of the first child of its household; None for one who shares none.

    Who shares a guardian or an address with a second, and the second with a third, is in one
    household with both.
    """
    first = list(range(len(homes)))
    seen: dict[tuple[str, str], int] = {}
    for place, home in enumerate(homes):
        for evidence in [("guardian", each) for each in home.guardians] + (
            [("address", home.address)] if home.address else []
        ):
            one, other = first[place], first[seen.setdefault(evidence, place)]
            if one != other:
                first = [min(one, other) if each in (one, other) else each for each in first]
    return [each if first.count(each) > 1 else None for each in first]
