"""The desk in a real Chromium: liveness, keyboard, narrow screens, script off, three languages."""

import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from shared.contract import EXAMPLES
from shared.events import CodedAbsence, CodedFacts
from tests.builders import NOON, AChild, SetClock
from tests.deskside import Desk, a_served_desk

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed here: pages were not looked at"
)

DANGER = CodedFacts(in_danger="yes")
ABSENCE = {
    name: value
    for name, value in orjson.loads((EXAMPLES / "absence.json").read_bytes()).items()
    if name not in ("pupil", "confirmed_by")
}
NARROW, WIDE = {"width": 320, "height": 720}, {"width": 1280, "height": 900}
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Desk, str]]:
    async with a_served_desk(database_url, tmp_path, SetClock()) as served:
        yield served


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def a_page(
    chromium: Browser,
    address: str,
    *,
    worker: str = "Sosse Koe",
    language: str = "en",
    script: bool = True,
    narrow: bool = False,
) -> Page:
    """A fresh browser in which this worker has logged in."""
    context = await chromium.new_context(
        viewport=NARROW if narrow else WIDE,  # type: ignore[arg-type]
        locale=language,
        java_script_enabled=script,
        timezone_id="Europe/Helsinki",
        reduced_motion="reduce",  # so that where something stands can be compared
    )
    page = await context.new_page()
    await page.goto(f"{address}/login")
    await page.get_by_role("button", name=worker).click()
    return page


async def mark_of(desk: Desk, child: object) -> str:
    return str((await desk.get("aino", f"/cases/{child}"))["mark"])


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_what_arrives_is_told_at_once_and_moves_nothing(
    served: tuple[Desk, str],
    chromium: Browser,
    narrow: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    desk, address = served
    first = await desk.cases.notified(received_at=NOON - timedelta(hours=1))
    page = await a_page(chromium, address, narrow=narrow)
    row = page.locator("#checks ~ ol .row").first
    before = await row.bounding_box()
    await page.evaluate("window.sameDocument = true")

    second = await desk.cases.notified(facts=DANGER)

    news = page.locator("#news")
    await expect(news).to_contain_text("1 new")
    if not narrow:
        await expect(news).to_contain_text(await mark_of(desk, second.child))
    assert before == await row.bounding_box()
    await expect(page.locator("#count-duty")).to_have_text("2")

    await news.get_by_text("Show 1 new").click()

    rows = page.locator("#checks ~ ol .row .mark")
    await expect(rows).to_have_text(
        [await mark_of(desk, second.child), await mark_of(desk, first.child)]
    )
    assert await page.evaluate("window.sameDocument")


async def test_what_another_worker_has_done_is_greyed_where_it_stands(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    first = await desk.cases.notified(received_at=NOON - timedelta(hours=1))
    await desk.cases.notified()
    page = await a_page(chromium, address)
    rows = page.locator("#checks ~ ol .row")
    before = [await rows.nth(place).bounding_box() for place in range(2)]

    await desk.post("aino", f"/checks/{first.id}/answer", answer="not_urgent", reason="Ei.")

    await expect(rows.first).to_contain_text("No longer in this list")
    assert before == [await rows.nth(place).bounding_box() for place in range(2)]


async def test_going_back_after_an_act_shows_what_is_now_and_acts_once(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    child = AChild()
    await desk.cases.notified(child)
    page = await a_page(chromium, address)
    await page.goto(f"{address}/cases/{child.id}")
    check = page.locator('form[action^="/checks/"]')
    await check.locator('input[value="not_urgent"]').check()
    await check.locator("textarea").fill("Lapsi on turvassa.")
    await check.locator("button[type=submit]").click()
    await expect(page.locator("p.said")).to_be_visible()

    await page.go_back()
    await page.go_forward()
    await page.go_back()

    await expect(page.locator("h1")).to_be_visible()
    await expect(page.locator('form[action^="/checks/"]')).to_have_count(0)
    assert ["urgency_answered"] == [
        row["kind"] for row in await desk.pool.fetch("SELECT kind FROM act")
    ]


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_an_open_case_says_that_it_has_changed_and_keeps_what_was_typed(
    served: tuple[Desk, str],
    chromium: Browser,
    narrow: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    desk, address = served
    child = AChild()
    signal = await desk.cases.notified(child)
    page = await a_page(chromium, address, narrow=narrow)
    await page.goto(f"{address}/cases/{child.id}")
    field = page.get_by_label("Reason").first
    await field.fill("Kesken oleva teksti")
    before = await field.bounding_box()

    await desk.post("aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Aino.")

    await expect(page.locator("#news")).to_contain_text("has changed")
    await expect(field).to_have_value("Kesken oleva teksti")
    assert before == await field.bounding_box()


async def test_a_page_whose_stream_cannot_be_opened_asks_by_itself(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    page = await a_page(chromium, address)
    await page.route("**/events", lambda route: route.abort())
    await page.clock.install()
    await page.goto(f"{address}/queues/duty")
    await desk.cases.notified()

    await page.clock.fast_forward(25_000)

    await expect(page.locator("#news")).to_contain_text("1 new")


async def test_a_page_says_so_when_the_session_has_ended(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    signal = await desk.cases.notified()
    page = await a_page(chromium, address)
    for path in ("/queues/duty", f"/cases/{signal.child}"):
        async with page.expect_response("**/live/**"):  # the stream is open
            await page.goto(address + path)

        desk.clock.forward(hours=11)
        await desk.cases.notified()

        await expect(page.locator("#news")).to_contain_text("Log in first.")
        desk.clock.forward(hours=-11)


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("fi", ("Ei kiireellinen", "Kirjaa vastaus", "Vahvista vastuutaho", "Vastuutaho vahv")),
        ("sv", ("Inte brådskande", "Anteckna svaret", "Bekräfta ansvarig", "Ansvarig bekräf")),
        ("en", ("Not urgent", "Record the answer", "Confirm the holder", "Holder confirmed")),
    ],
)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_a_check_is_answered_and_its_holder_confirmed(
    served: tuple[Desk, str],
    chromium: Browser,
    language: str,
    texts: tuple[str, str, str, str],
    script: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    desk, address = served
    calm, record, confirm, done = texts
    signal = await desk.cases.notified()
    page = await a_page(chromium, address, language=language, script=script)

    await page.get_by_role("link", name=await mark_of(desk, signal.child)).click()
    check = page.locator("form.first")
    await check.get_by_label(calm, exact=True).check()
    await check.locator("textarea").fill("Puhelimessa: lapsi on turvassa.")
    await check.get_by_role("button", name=record).click()
    await page.get_by_role("button", name=confirm).click()

    await expect(page.locator(".said")).to_contain_text(done)
    await expect(page.locator(".history")).to_contain_text("Puhelimessa: lapsi on turvassa.")
    case = await desk.get("aino", f"/cases/{signal.child}")
    assert "initial_assessment" == case["confirmed_holder"]


async def test_everything_can_be_reached_and_done_by_keyboard(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    signal = await desk.cases.notified()
    page = await a_page(chromium, address)
    await page.goto(f"{address}/cases/{signal.child}")

    await page.keyboard.press("Tab")
    assert "#main" == await page.evaluate("document.activeElement.getAttribute('href')")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")  # the way back to the list
    await page.keyboard.press("Tab")
    assert "Is it urgent?" == await page.evaluate("document.activeElement.textContent")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert "answer" == await page.evaluate("document.activeElement.name")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Näppäimistöllä.")
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.type") == "submit":
            break
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    await page.keyboard.press("Enter")

    assert "solid" == outline
    await expect(page.locator(".said")).to_be_focused()
    case = await desk.get("aino", f"/cases/{signal.child}")
    assert "urgent" == case["urgency"]


async def test_destinations_stand_behind_one_entry_that_counts_their_proposals(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    signal = await desk.cases.notified(
        facts=CodedFacts(reasons=("LOCAL-REASON-CHILD-MENTAL-HEALTH",))
    )
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Ei.")
    case = await desk.get("aino", f"/cases/{signal.child}")
    page = await a_page(chromium, address, worker="Aino Esimerkki", narrow=True)
    queues = page.get_by_role("navigation", name="Queues")

    await expect(queues.get_by_role("link")).to_have_text(
        [re.compile(name) for name in ("^Duty desk", "^The child's own worker", "^Initial")]
    )
    await expect(page.locator("#count-proposed")).to_have_text(str(len(case["proposals"])))

    await queues.locator("summary").press("Enter")
    await queues.get_by_role("link", name="Child psychiatry").click()

    await expect(queues.locator("summary")).to_contain_text("Child psychiatry")
    assert 0 == await page.evaluate(WIDER)


async def test_a_supervisor_has_the_tasks_of_supervisors_in_the_navigation(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    child = AChild()
    await desk.cases.notified(child, facts=CodedFacts(reasons=("LOCAL-REASON-SCHOOL",)))
    desk.clock.forward(days=3)
    page = await a_page(chromium, address, worker="Kaisa Näyte")
    await expect(page.locator("#count-supervisor")).to_have_text("0")

    await desk.cases.notified(
        child, facts=CodedFacts(reasons=("LOCAL-REASON-ILLNESS",)),
        received_at=NOON - timedelta(hours=1),
    )  # fmt: skip

    await expect(page.locator("#count-supervisor")).to_have_text("1")
    link = page.get_by_role("link", name="For a supervisor").first
    await link.click()
    await expect(link).to_have_attribute("aria-current", "page")
    await expect(page.locator(".row .mark")).to_have_text([await mark_of(desk, child.id)])


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_pages_fit_a_narrow_screen_and_every_text_can_be_read(
    served: tuple[Desk, str], chromium: Browser, language: str
) -> None:
    desk, address = served
    child = AChild(name="Elli-Sofia Esimerkki-Koivunen")
    signal = await desk.cases.notified(child, facts=DANGER, children=2)
    await desk.cases.notified(AChild(known=False), received_at=NOON - timedelta(days=12))
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Heti.")
    item = await desk.cases.set_aside()
    absent = await desk.cases.notified(
        facts=CodedFacts(absence=CodedAbsence()), kind="absence", missing=("step-2", "school-mar"),
        text=ABSENCE,
    )  # fmt: skip
    page = await a_page(chromium, address, language=language, narrow=True)

    for path in (
        "/queues/duty", f"/cases/{child.id}", f"/cases/{absent.child}", f"/items/{item}",
        "/queues/own_worker", "/interface", "/login", "/nothing-here",
    ):  # fmt: skip
        await page.goto(address + path)
        wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert 0 == wide, path
        assert [] == await page.evaluate(CONTRAST), path


async def test_pages_load_nothing_from_elsewhere_and_break_no_rule_of_their_own(
    served: tuple[Desk, str], chromium: Browser
) -> None:
    desk, address = served
    signal = await desk.cases.notified()
    page = await a_page(chromium, address)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    for path in ("/queues/duty", f"/cases/{signal.child}", "/interface"):
        await page.goto(address + path)

    assert all(url.startswith(address) for url in asked)
    assert [] == said
