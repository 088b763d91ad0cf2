"""The pages of the rules in a real Chromium: readable, in three languages, narrow screens, too."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from deploy.cli.__main__ import main
from shared.events import CodedFacts
from tests.browser.test_desk_pages import CONTRAST, a_page, chromium, pytestmark
from tests.browser.test_feeds_on_pages import WIDER
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_served_desk

__all__ = ["chromium", "pytestmark"]


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Desk, str]]:
    async with a_served_desk(database_url, tmp_path, SetClock()) as served:
        yield served


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_rules_and_their_effect_can_be_read(
    served: tuple[Desk, str], chromium: Browser, language: str, tmp_path: Path,
    database_url: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    desk, address = served
    child = AChild()
    signal = await desk.cases.notified(
        child, facts=CodedFacts(reasons=("LOCAL-REASON-CHILD-MENTAL-HEALTH",))
    )
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu.")
    monkeypatch.setenv("LUOTSI_DATABASE_URL", database_url)
    assert 0 == await asyncio.to_thread(main, ["rules", "diff", "level@2026-11", "live", "--keep"])

    for narrow in (True, False):
        page = await a_page(
            chromium, address, worker="Kaisa Näyte", language=language, narrow=narrow
        )
        for name, path in (
            ("rules", "/rules"),
            ("version", f"/rules/{desk.cases.rules.tables.version}"),
            ("effect", "/rules/effects/1"),
        ):
            await page.goto(f"{address}{path}")
            await page.screenshot(path=tmp_path / f"{name}-{narrow}.png", full_page=True)
            assert 0 == await page.evaluate(WIDER), name
            assert [] == await page.evaluate(CONTRAST), name


async def test_a_case_leads_a_social_worker_to_the_row_behind_it(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    child = AChild()
    await desk.cases.notified(child, facts=CodedFacts(in_danger="yes"))
    page = await a_page(chromium, address)
    await page.goto(f"{address}/cases/{child.id}")

    await page.get_by_role("link", name="Signs of urgency 2026").click()

    heading = page.get_by_role("heading", name="Signs of urgency")
    assert await heading.is_visible()
    row = page.locator("#urgent-danger")
    assert "child in danger: yes" in await row.inner_text()
    await row.locator("summary").click()
    assert "It does not fit" in await row.inner_text()
