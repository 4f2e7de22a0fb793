"""The code of the guide to Better Auth, in a real browser: two users in one tab, and the server's own calls."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.better_auth import FOLDER, PASSWORD, BetterAuth, better_auth
from tests.support.browser import PATIENCE, complaints, find
from tests.support.postgres import free_port
from tests.support.server import serving

GUIDE = Path(__file__).parents[2] / "docs" / "better-auth.md"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[BetterAuth]:
    """Better Auth with the guide's pages, and a Taskwell that takes its tokens."""
    for path, code in re.findall(r"```tsx?\n// (\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        file = tmp_path / "pages" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    shutil.copy(FOLDER / "page.tsx", tmp_path / "pages")
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with (
        serving(tmp_path, database_url, BETTER_AUTH_URL=origin, ALLOWED_ORIGINS=origin) as taskwell,
        better_auth(PORT=str(port), BA_PAGES=str(tmp_path / "pages"), TASKWELL_URL=taskwell) as issuer,
    ):
        for name in ("ada", "eve"):
            asyncio.run(issuer.sign_up(name))
        yield issuer


def sign_in(browser: webdriver.Chrome, name: str) -> None:
    find(browser, "[name=email]").send_keys(f"{name}@example.com")
    find(browser, "[name=password]").send_keys(PASSWORD)
    find(browser, "#sign-in button").click()
    WebDriverWait(browser, PATIENCE).until(lambda _: find(browser, "h1").text == name.capitalize())


def add(browser: webdriver.Chrome, title: str) -> None:
    find(browser, "[name=title]").send_keys(title)
    find(browser, "form button").click()


def await_tasks(browser: webdriver.Chrome, *titles: str) -> None:
    shown = "return [...document.querySelectorAll('li')].map(each => each.textContent)"
    WebDriverWait(browser, PATIENCE).until(lambda _: browser.execute_script(shown) == list(titles), f"want {titles}")


def everything_shown_from_now_on(browser: webdriver.Chrome) -> None:
    """Notes every text that the page shows, for however short a time."""
    browser.execute_script(
        "window.seen = [];"
        "new MutationObserver(() => window.seen.push(document.body.textContent))"
        ".observe(document.body, { subtree: true, childList: true, characterData: true })"
    )


@pytest.mark.parametrize(
    "way_out", ["//button[.='Sign out']", "//button[@id='leave']"], ids=["guide", "session only"]
)
def test_the_next_user_of_a_tab_never_sees_the_tasks_of_the_one_before(
    browser: webdriver.Chrome, site: BetterAuth, way_out: str
):
    browser.get(site.url)
    sign_in(browser, "ada")
    add(browser, "Ada's secret")
    await_tasks(browser, "Ada's secret")

    browser.find_element(By.XPATH, way_out).click()
    find(browser, "#sign-in")
    everything_shown_from_now_on(browser)
    sign_in(browser, "eve")
    add(browser, "Eve's errand")
    await_tasks(browser, "Eve's errand")
    assert not [text for text in browser.execute_script("return window.seen") if "Ada's secret" in text]

    browser.find_element(By.XPATH, way_out).click()
    sign_in(browser, "ada")
    await_tasks(browser, "Ada's secret")
    assert [each for each in complaints(browser) if "401" not in each] == []


def test_the_servers_calls_are_those_of_the_user_who_asks(site: BetterAuth):
    async def tell() -> None:
        async with httpx2.AsyncClient(base_url=site.url) as ada, httpx2.AsyncClient(base_url=site.url) as eve:
            assert (await ada.get("/tasks/api")).status_code == 401
            for name, http in (("ada", ada), ("eve", eve)):
                body = {"email": f"{name}@example.com", "password": PASSWORD}
                (await http.post("/api/auth/sign-in/email", json=body)).raise_for_status()
                made = await http.post("/tasks/api", json={"title": f"Of {name}"})
                assert made.status_code == 201
            for name, http in (("ada", ada), ("eve", eve)):
                answers = await asyncio.gather(*(http.get("/tasks/api") for _ in range(4)))
                assert [[task["title"] for task in each.json()["items"]] for each in answers] == [[f"Of {name}"]] * 4
                assert (await http.get("/tasks")).text == f"<ul><li>Of {name}</li></ul>"

    asyncio.run(tell())
