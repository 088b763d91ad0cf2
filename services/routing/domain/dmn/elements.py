"""Elements of a DMN file, their namespaces, and text that XML can hold."""

import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

MODEL: Final = "https://www.omg.org/spec/DMN/20191111/MODEL/"
NAMESPACES: Final = {
    "xmlns": MODEL,
    "xmlns:dmndi": "https://www.omg.org/spec/DMN/20191111/DMNDI/",
    "xmlns:dc": "http://www.omg.org/spec/DMN/20180521/DC/",
    "xmlns:di": "http://www.omg.org/spec/DMN/20180521/DI/",
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def part(parent: ET.Element, name: str, attributes: Mapping[str, str] | None = None) -> ET.Element:
    """A new last part of `parent`."""
    given = attributes or {}
    return ET.SubElement(parent, name, {key: clean(value) for key, value in given.items()})


def text(parent: ET.Element, name: str, content: str) -> None:
    """A new last part that holds this text."""
    ET.SubElement(parent, name).text = clean(content)


def clean(content: str) -> str:
    """The text with a mark in place of each character that XML does not allow."""
    return _NOT_XML.sub("\ufffd", content)


def written(root: ET.Element) -> str:
    """The file."""
    ET.indent(root)
    told = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{told}\n'
