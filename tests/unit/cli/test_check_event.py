"""`luotsi check-event`: intake's own verdict on a file, with no service running."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import main
from shared import kinds
from shared.contract import EXAMPLES

EXAMPLE = EXAMPLES / "notification.json"


def written(directory: Path, content: Any) -> Path:
    file = directory / "event.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def whole(**changed: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": "n-1", "source": "school-1", "type": kinds.NOTIFICATION.type,
        "data": json.loads(EXAMPLE.read_bytes()), **changed,
    }  # fmt: skip


@pytest.mark.parametrize("kind", kinds.KINDS, ids=[kind.name for kind in kinds.KINDS])
def test_the_example_of_each_kind_would_be_taken(
    capsys: pytest.CaptureFixture[str], kind: kinds.Kind
) -> None:
    assert 0 == main(["check-event", str(EXAMPLES / f"{kind.name}.json"), "--kind", kind.name])
    assert kind.type in capsys.readouterr().out


def test_a_whole_event_would_be_taken(tmp_path: Path) -> None:
    assert 0 == main(["check-event", str(written(tmp_path, whole()))])


@pytest.mark.parametrize(
    ("content", "reason", "place"),
    [
        ('{"notifier": ', "invalid-content", "EOF"),
        ({"salainen": 1}, "invalid-content", "notifier: Field required"),
        (whole(type="fi.example.other.v1"), "unknown-type", kinds.NOTIFICATION.type),
        (whole(id="010594Y9032"), "personal-data-in-id", "without a henkilötunnus"),
    ],
)
def test_what_would_be_refused_says_why_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any, reason: str, place: str
) -> None:
    assert 1 == main(["check-event", str(written(tmp_path, content))])

    told = capsys.readouterr().err
    assert told.startswith(f"luotsi: {reason}: ")
    assert place in told
    assert "salainen" not in told
    assert "010594" not in told


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["check-event", str(tmp_path / "none.json")])
    assert "none.json: there is no such file" in capsys.readouterr().err
