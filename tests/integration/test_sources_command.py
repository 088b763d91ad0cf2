"""`luotsi sources`, `pause`, `resume` and `redrive` against a running intake."""

import asyncio

import pytest

from deploy.cli.__main__ import main
from deploy.local.system import System
from tests import system as do


async def test_an_operator_pauses_a_source_lets_it_go_on_and_takes_messages_again(
    luotsi: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(luotsi.prepare)
    intake = luotsi.service("intake")
    intake.start()
    await do.until_ready([intake])
    monkeypatch.setenv("LUOTSI_INTAKE_URL", intake.url)
    monkeypatch.setenv("LUOTSI_INTAKE_TOKEN", luotsi.secrets["desk"])

    async def luotsi_says(*words: str) -> str:
        code = await asyncio.to_thread(main, [*words, "--worker", "w-1"])
        told = capsys.readouterr()
        assert 0 == code, told.err
        return told.out

    async def came(count: int) -> None:
        async def counted() -> bool:
            found = await do.value(luotsi.admin_url, "SELECT count(*) FROM intake.event_log")
            return bool(found == count)

        await do.until("intake has taken it", counted)

    unknown = await luotsi_says("pause", "school-1", "--why", "new release")
    await do.publish_notification(luotsi, "n-1")
    await do.publish_notification(luotsi, "n-2", observations="")
    await came(2)
    listed = await luotsi_says("sources")
    resumed = await luotsi_says("resume", "school-1")

    async def is_open() -> bool:
        return "school-1  open" in await luotsi_says("sources")

    await do.until("it is open", is_open)
    counted = await luotsi_says("redrive", "--source", "school-1", "--dry-run")
    since = ("--since", "2026-01-01", "--until", "2199-01-01T00:00:00Z")
    taken = await luotsi_says("redrive", "--reason", "invalid-content", *since)
    nothing = await luotsi_says("redrive", "--reason", "invalid-content", "--until", "2020-01-01")

    assert "is the name right?" in unknown
    assert ["school-1", "paused", "2", "2", "held", "2", "held"] == listed.splitlines()[1].split()[
        :7
    ]
    assert listed.rstrip().endswith("w-1  new release")
    assert "resuming" in resumed
    assert "Would take again: 1 invalid-content.\n" == counted
    assert taken.splitlines() == [
        "Items taken again: 1, messages applied: 0.", "Still not applicable: 1 invalid-content.",
    ]  # fmt: skip
    assert "Items taken again: 0, messages applied: 0.\n" == nothing


def test_a_refusal_and_a_silent_intake_are_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LUOTSI_INTAKE_URL", "http://127.0.0.1:9")

    code = main(["pause", "school-1", "--why", "x", "--worker", "w-1"])

    assert 2 == code
    assert "does not answer" in capsys.readouterr().err


def test_a_time_that_is_none_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["redrive", "--since", "yesterday", "--worker", "w-1"])

    assert "--since" in capsys.readouterr().err
