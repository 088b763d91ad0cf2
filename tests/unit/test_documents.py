"""What the documents tell a newcomer to do can be done."""

import re
from pathlib import Path

import pytest

from services.intake.domain.told import age_band_of
from shared.clock import utc_now
from shared.events import Notification

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/operations.md",
    "docs/changing-the-rules.md",
    "docs/saantojen-muuttaminen.md",
    "deploy/kubernetes/README.md",
)
PLACE = re.compile(r"`((?:services|shared|deploy|docs|tests)/[\w./-]+)`")


def test_the_walk_through_sends_a_notification_about_a_child_that_intake_takes() -> None:
    (body,) = re.findall(r"-d '(\{.+?\})'", (ROOT / "README.md").read_text(), re.DOTALL)
    (child,) = Notification.model_validate_json(body).children

    assert child.hetu is not None
    assert int(child.hetu[7:10]) >= 900, "a test person"
    assert age_band_of(child, utc_now()) in ("7-12", "13-15", "16-17")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_names_files_that_are_there(name: str) -> None:
    named = set(PLACE.findall((ROOT / name).read_text()))

    assert named
    assert [] == sorted(path for path in named if not (ROOT / path).exists())


def test_the_recipe_of_a_notice_names_every_place_that_knows_the_purposes() -> None:
    folder = ROOT / "services" / "notifications"
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("### Add a notice")[2]
    recipe = text.partition("\n### ")[0]
    knowing = {
        file.name
        for file in folder.glob("*.py")
        if re.search(r"\"(receipt|duty_alert)\"", file.read_text())
    }

    # A re-drive tells of itself with any purpose; routing does not look at it.
    assert [] == sorted(name for name in knowing - {"redrive.py"} if name not in recipe)
    assert "migrations" in recipe
    assert "NoticeEvent.purpose" in recipe
