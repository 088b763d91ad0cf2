"""Explanations in a real Chromium: by keyboard, without script, narrow, and as they are printed."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from shared.events import CodedFacts
from tests.browser.test_desk_pages import CHROMIUM, CONTRAST, a_page, chromium
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_served_desk

__all__ = ["chromium"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed here: pages were not looked at"
)
TWO = CodedFacts(
    reasons=("LOCAL-REASON-SCHOOL", "LOCAL-REASON-CHILD-MENTAL-HEALTH"), said_by="education"
)


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Desk, str]]:
    async with a_served_desk(database_url, tmp_path, SetClock()) as served:
        yield served


async def judged(desk: Desk) -> AChild:
    child = AChild()
    signal = await desk.cases.notified(child, facts=TWO)
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Ei.")
    return child


async def test_the_fold_opens_by_keyboard_without_script(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    child = await judged(desk)
    page = await a_page(chromium, address, script=False)
    await page.goto(f"{address}/cases/{child.id}")
    change = page.get_by_text("Mental health: no (was: yes)")
    await expect(change).to_be_hidden()

    await page.locator("details.explanation > summary").focus()
    await page.keyboard.press("Enter")

    await expect(change).to_be_visible()
    await page.keyboard.press("Tab")
    leads_to = await page.evaluate("document.activeElement.getAttribute('href')")
    assert re.fullmatch(r"/rules/.*#level-erityis-psych", leads_to), "each reason leads to its row"


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_explanations_fit_a_narrow_screen_and_every_text_can_be_read(
    served: tuple[Desk, str], chromium: Browser, language: str
) -> None:
    desk, address = served
    child = await judged(desk)
    page = await a_page(chromium, address, language=language, narrow=True)

    for path in (f"/decisions/{child.id}/2", f"/decisions/{child.id}/2/family"):
        await page.goto(address + path)
        wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert 0 == wide, path
        assert [] == await page.evaluate(CONTRAST), path


async def test_what_is_for_the_worker_is_not_printed_with_a_familys_page(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    child = await judged(desk)
    page = await a_page(chromium, address)
    await page.goto(f"{address}/decisions/{child.id}/2/family?language=fi")

    await page.emulate_media(media="print")

    await expect(page.locator(".not-printed")).to_be_hidden()
    await expect(page.locator(".top")).to_be_hidden()
    await expect(page.locator("h1")).to_have_text("Miksi teille ehdotetaan tätä")
    await expect(page.locator(".family")).to_contain_text("Ne eivät ole THL:n OT-seula.")
