"""Where the elements of the model stand when it is drawn: inputs below, decisions above."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from services.routing.domain.dmn.elements import part

_GAP: Final = 20
_ACROSS: Final = 7
"""Inputs side by side."""
_PLACES: Final[Mapping[str, tuple[int, int]]] = {
    "urgent": (300, 490),
    "flagged": (300, 340),
    "level": (300, 190),
    "holder": (300, 40),
    "destinations": (900, 40),
}
_INPUTS_BEGIN: Final = 640


class _Box(NamedTuple):
    """An element's place and size, in the diagram's own units."""

    x: int
    y: int
    width: int = 170
    height: int = 60

    def to(self, other: "_Box") -> Iterator[tuple[int, int]]:
        """A line from the middle of its upper side to that of the other's lower side."""
        yield self.x + self.width // 2, self.y
        yield other.x + other.width // 2, other.y + other.height

    def bounds(self) -> dict[str, str]:
        return {name: str(value) for name, value in self._asdict().items()}


def draw(root: ET.Element, inputs: Sequence[str]) -> None:
    """Add the diagram of the graph of requirements that `root` holds."""
    boxes = _boxes(root, inputs)
    diagram = part(part(root, "dmndi:DMNDI"), "dmndi:DMNDiagram", {"id": "diagram"})
    for ident, box in boxes.items():
        named = {"id": f"shape_{ident}", "dmnElementRef": ident}
        part(part(diagram, "dmndi:DMNShape", named), "dc:Bounds", box.bounds())
    for decision in root.iter("decision"):
        for need in decision.iter("informationRequirement"):
            named = {"id": f"edge_{need.attrib['id']}", "dmnElementRef": need.attrib["id"]}
            line = part(diagram, "dmndi:DMNEdge", named)
            source = boxes[need[0].attrib["href"].removeprefix("#")]
            for x, y in source.to(boxes[decision.attrib["id"]]):
                part(line, "di:waypoint", {"x": str(x), "y": str(y)})


def _boxes(root: ET.Element, inputs: Sequence[str]) -> dict[str, _Box]:
    box = _Box(0, 0)
    boxes = {}
    for place, name in enumerate(inputs):
        down, right = divmod(place, _ACROSS)
        y = _INPUTS_BEGIN + down * (box.height + 2 * _GAP)
        boxes[f"input_{name}"] = _Box(right * (box.width + _GAP), y)
    for decision in root.iter("decision"):
        boxes[decision.attrib["id"]] = _Box(*_PLACES[decision.attrib["name"]])
    boxes["losses"] = _Box(_ACROSS * (box.width + _GAP) + 100, 40, 900, 700)
    return boxes
