"""What the feeds add to pages, in a real Chromium: readable, and on a narrow screen, too."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser

from shared.events import CodedFacts
from tests.browser.test_desk_pages import CONTRAST, a_page, chromium, pytestmark
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_served_desk
from tests.integration.test_client_feed import sealed_state, state
from tests.integration.test_directory_feed import sealed, shift, take

__all__ = ["chromium", "pytestmark"]

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Desk, str]]:
    async with a_served_desk(database_url, tmp_path, SetClock()) as served:
        yield served


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_a_case_with_a_protected_child_and_a_gap_in_the_rota_can_be_read(
    served: tuple[Desk, str], chromium: Browser, language: str, tmp_path: Path
) -> None:
    desk, address = served
    child, sibling, household = AChild(), AChild(number=904), uuid4()
    for each in (child, sibling):
        await desk.cases.notified(each, facts=CodedFacts(is_client="no"))
    said = await sealed_state(
        desk.cases, child, clientship="child_protection", since=date(2025, 3, 1), worker="sosse",
        placement="care", moves=2, turvakielto="yes", household=household,
    )  # fmt: skip
    async with desk.pool.acquire() as tx, tx.transaction():
        await desk.cases.take(tx, [said, state(sibling, reference="A-2", household=household)])
    await take(desk, await sealed(desk, uuid4(), shift("sosiaalipaivystys")))

    for narrow in (True, False):
        page = await a_page(
            chromium, address, worker="Kaisa Näyte", language=language, narrow=narrow
        )
        await page.goto(f"{address}/cases/{child.id}")
        await page.screenshot(path=tmp_path / f"case-{narrow}.png", full_page=True)
        assert 0 == await page.evaluate(WIDER)
        assert [] == await page.evaluate(CONTRAST)
