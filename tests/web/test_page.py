"""The page in a browser: people of any device, eyesight and input can look at the model and try it."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import REPOSITORY
from tests.ports import free_port
from tests.servers import Server, answers

KEY = "good-" + "k" * 32
BUNDLE = REPOSITORY / "models"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    assert (BUNDLE / "metadata.json").exists(), "a model is needed: make train"
    servers = []

    def run(**settings: str) -> str:
        port, folder = free_port(), tmp_path_factory.mktemp("web")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "MODEL_DIR": str(BUNDLE),
            "PORT": str(port),
            "RATE_LIMIT_PREDICT": "1000/minute",
            **settings,
        }
        server = Server([sys.executable, "-m", "src.serving"], folder, folder / "log", environment)
        servers.append(server)
        url = f"http://127.0.0.1:{port}/"
        server.wait_until(lambda: answers(f"{url}readyz"), "the server is ready")
        return url

    yield run
    for server in servers:
        server.end()


@pytest.fixture(scope="session")
def url(start: Any) -> str:
    return str(start())


@pytest.fixture
def opened(browser: Browser, url: str) -> Iterator[Page]:
    page = browser.new_page()
    problems: list[str] = []

    def note(text: str) -> None:
        if "status of 422" not in text:  # the browser's own line about a refused row
            problems.append(text)

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: note(message.text) if message.type == "error" else None)
    page.goto(url)
    yield page
    page.close()
    assert problems == []


def predicted(page: Page) -> str:
    page.get_by_role("button", name="Predict").click()
    return str(page.locator("#answer h3").text_content())


def test_the_example_is_predicted_and_its_call_shown(opened: Page) -> None:
    assert predicted(opened) == "setosa"
    assert opened.locator("#answer svg").count() >= 1
    opened.get_by_text("The same call as code").click()
    calls = opened.locator("pre").all_text_contents()
    assert [call.split()[0] for call in calls] == ["curl", "import", "const"]
    assert '"petal_length":1.3' in calls[0]


def test_the_answer_says_why(opened: Page) -> None:
    predicted(opened)

    assert opened.get_by_role("heading", name="Why setosa").count() == 1
    assert "exact Shapley values" in str(opened.locator("#answer").text_content())
    assert opened.locator("#answer svg").count() == 2


def test_a_wrong_value_is_said_beside_its_field(opened: Page) -> None:
    opened.get_by_label("petal width (cm)").fill("99")
    opened.get_by_role("button", name="Predict").click()

    field = opened.locator(".field", has=opened.get_by_label("petal width (cm)"))
    field.locator(".wrong").wait_for()
    assert "less than or equal to" in str(field.locator(".wrong").text_content())
    assert opened.get_by_label("petal width (cm)").get_attribute("aria-invalid") == "true"

    opened.get_by_label("petal width (cm)").fill("0.2")
    assert predicted(opened) == "setosa"
    assert opened.locator(".wrong").count() == 0


def test_the_keyboard_is_enough(opened: Page) -> None:
    opened.get_by_label("sepal length (cm)").focus()
    for _ in range(3):
        opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")

    opened.locator("#answer h3").wait_for()


def test_counts_follow_what_is_asked(opened: Page) -> None:
    predicted(opened)
    opened.locator("#now").wait_for()
    opened.wait_for_function("document.querySelector('#drift summary')", timeout=60_000)

    assert "rows" in str(opened.locator("#drift summary").first.text_content()) or "row" in str(
        opened.locator("#drift summary").first.text_content()
    )
    assert opened.locator(".tile").count() == 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)])
def test_nothing_keeps_anybody_out(browser: Browser, url: str, scheme: Any, width: int, height: int) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": height})
    page.goto(url)
    predicted(page)
    page.get_by_text("The same call as code").click()
    page.locator("#now").wait_for()

    found = Axe().run(page)
    across = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert found.violations_count == 0, found.generate_report()
    assert across <= width


def test_no_other_host_is_asked(browser: Browser, url: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    predicted(page)
    page.close()

    assert len(asked) >= 4
    assert [one for one in asked if not one.startswith((url, "data:"))] == []


def test_a_key_is_asked_for_and_kept_in_memory(browser: Browser, start: Any) -> None:
    url = start(API_KEY=KEY)
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    asked = page.get_by_label("This server asks for a key")
    asked.wait_for()
    assert page.locator("#form").count() == 0

    asked.fill("wrong")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("This key is not valid.").wait_for()
    asked.fill(KEY)
    page.get_by_role("button", name="Continue").click()

    assert predicted(page) == "setosa"
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])") == '[{},{},""]'
    page.reload()
    page.get_by_label("This server asks for a key").wait_for()
    context.close()


def test_screenshots_are_taken(browser: Browser, url: str, tmp_path: Path) -> None:
    target = REPOSITORY / os.environ.get("SCREENSHOTS", tmp_path)
    for name, scheme, size in (("page", "light", (1200, 900)), ("page_phone", "dark", (390, 844))):
        page = browser.new_page(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": size[0], "height": size[1]},
        )
        page.goto(url)
        predicted(page)
        page.screenshot(path=target / f"{name}.png")
        page.close()
        assert (target / f"{name}.png").stat().st_size < 200_000
