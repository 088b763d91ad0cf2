"""The one journey: from Kafka to a duty worker's screen, the answers, and the notifier's mail."""

import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from deploy.local.machine import free_port
from deploy.local.mailcatcher import Box, listen
from deploy.local.system import System
from tests import system as do

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed here: the journey was not walked"
)
expect.set_options(timeout=30_000)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def luotsi(
    kafka: object, database_url: str, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[System, str, Box]]:
    """All four services, and a mail server that keeps what it is given."""
    system = System(tmp_path, kafka.bootstrap, database_url, prefix=topic_prefix)  # type: ignore[attr-defined]
    system.prepare()
    box, port = Box(tmp_path / "mail"), free_port()
    server = await listen(box, port)
    services = [
        system.service("intake"),
        system.service("routing"),
        system.service("desk", demo="true"),
        system.service("notifications", smtp_port=str(port), send="true"),
    ]
    for service in services:
        service.start()
    conn = await asyncpg.connect(database_url)
    await conn.execute("INSERT INTO routing.worker VALUES ('aino', 'Aino Esimerkki', 'duty')")
    await conn.close()
    await do.until_ready(services)
    yield system, services[2].url, box
    system.stop()
    server.close()


async def at_the_duty_desk(page: Page, desk: str, language: str) -> None:
    await page.goto(f"{desk}/login?lang={language}")
    await page.get_by_role("button", name="Aino Esimerkki").click()
    await page.goto(f"{desk}/queues/duty?lang={language}")
    await expect(page.locator("html")).to_have_attribute("lang", language)


async def answer_and_confirm(page: Page) -> None:
    check = page.locator('form[action^="/checks/"]')
    await check.locator('input[value="not_urgent"]').check()
    await check.locator("textarea").fill("Perhe on tavoitettu, lapsi on turvassa.")
    await check.locator("button[type=submit]").click()
    holder = page.locator('form[action$="/holder"]')
    await expect(holder.locator('input[value="initial_assessment"]')).to_be_checked()
    await holder.locator("button[type=submit]").click()
    await expect(page.locator("p.said")).to_be_visible()


async def the_receipt_lies_in_the_mail(box: Box, language: str) -> None:
    async def receipt() -> str | None:
        found = [mail for mail in box.newest() if mail.to == f"opettaja-{language}@koulu.example"]
        return found[0].text if found else None

    text = await do.until("the receipt is in the mail catcher", receipt)
    assert "112" in text
    assert "Testi" not in text


def notifier(language: str) -> dict[str, str]:
    return {
        "kind": "education",
        "name": "Testi Opettaja",
        "email": f"opettaja-{language}@koulu.example",
        "language": language,
    }


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_from_kafka_to_the_desk_and_back_to_the_notifier(
    luotsi: tuple[System, str, Box],
    chromium: Browser,
    script: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    system, desk, box = luotsi
    children = {"fi": "010594Y9032", "sv": "020594X903P", "en": "030594W903B"}
    for language, hetu in children.items():
        context = await chromium.new_context(java_script_enabled=script)
        page = await context.new_page()
        await at_the_duty_desk(page, desk, language)

        await do.publish_notification(
            system, f"n-{language}", notifier=notifier(language),
            children=[{"name": "Testi Lapsi", "hetu": hetu}],
        )  # fmt: skip
        if script:  # it is told without reloading
            await expect(page.locator("#news a").first).to_be_visible()
            await page.locator("#news .marks a").click()
        else:
            await do.until("the page shows it", partial(reload_and_look, page))
            await page.locator("#checks ~ ol .row a.mark").first.click()

        await expect(page.get_by_text(hetu)).to_be_visible()
        await answer_and_confirm(page)
        await the_receipt_lies_in_the_mail(box, language)
        await context.close()

    confirmed = await do.fetch(system.admin_url, "SELECT confirmed FROM routing.child_case")
    assert [row["confirmed"] for row in confirmed] == ["initial_assessment"] * 3


async def reload_and_look(page: Page) -> int:
    await page.reload()
    return await page.locator("#checks ~ ol .row a.mark").count()
