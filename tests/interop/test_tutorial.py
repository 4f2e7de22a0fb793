"""The tutorial's page in a real browser, and the guides' site beside it."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from scripts import site
from tests.support.browser import PATIENCE, complaints, find, foreign_requests
from tests.support.pictures import keep_picture
from tests.support.server import serving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "examples" / "browser"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def showing(folder: Path) -> Iterator[str]:
    """The address of a folder's files, as ``python -m http.server`` shows them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def tasks(browser: webdriver.Chrome) -> list[tuple[str, bool]]:
    """The titles that the page shows, each with whether the server said that it is done."""
    script = "return [...document.querySelectorAll('li span')].map(e => [e.innerText, e.className === 'done'])"
    return [(title, done) for title, done in browser.execute_script(script)]


def await_tasks(browser: webdriver.Chrome, *expected: tuple[str, bool]) -> None:
    WebDriverWait(browser, PATIENCE).until(lambda _: tasks(browser) == list(expected), f"want {expected}")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """The tutorial's page, at a server that lets it call."""
    database_url = f"sqlite:///{tmp_path}/taskwell.db"
    with showing(tmp_path) as origin, serving(tmp_path, database_url, ALLOWED_ORIGINS=origin) as address:
        (tmp_path / "index.html").write_text((PAGE / "index.html").read_text())
        (tmp_path / "app.js").write_text((PAGE / "app.js").read_text().replace("http://127.0.0.1:8000", address))
        yield origin


def sign_in(browser: webdriver.Chrome, way: str, password: str) -> None:
    find(browser, "[name=email]").clear()
    find(browser, "[name=email]").send_keys("ada@example.com")
    find(browser, "[name=password]").clear()
    find(browser, "[name=password]").send_keys(password)
    find(browser, f"button[value={way}]").click()


def await_signed_in(browser: webdriver.Chrome) -> None:
    """The form goes away, and the password with it."""
    form = browser.find_element(By.ID, "sign-in")
    WebDriverWait(browser, PATIENCE).until(lambda _: not form.is_displayed())
    assert form.find_element(By.NAME, "password").get_property("value") == ""


def add(browser: webdriver.Chrome, title: str) -> None:
    find(browser, "#add input").send_keys(title)
    find(browser, "#add button").click()


def test_the_page_of_the_tutorial_keeps_tasks(browser, page):
    browser.get(page)
    sign_in(browser, "signup", "engine 1843")
    await_signed_in(browser)
    add(browser, "Buy milk")
    await_tasks(browser, ("Buy milk", False))
    add(browser, "<b>Call Charles</b>")
    await_tasks(browser, ("Buy milk", False), ("<b>Call Charles</b>", False))

    find(browser, "li:first-child input").click()
    await_tasks(browser, ("Buy milk", True), ("<b>Call Charles</b>", False))
    find(browser, "li:last-child button").click()
    await_tasks(browser, ("Buy milk", True))
    browser.refresh()
    await_tasks(browser, ("Buy milk", True))

    keep_picture(browser, "tutorial")
    assert complaints(browser) == []

    find(browser, "#sign-out").click()
    sign_in(browser, "login", "wrong 1843")
    WebDriverWait(browser, PATIENCE).until(lambda _: find(browser, "#trouble").text)
    assert find(browser, "#trouble").text == "The e-mail or the password is wrong."
    (refusal,) = complaints(browser)
    assert "401" in refusal
    assert [url for url in foreign_requests(browser, page) if not url.startswith("http://127.0.0.1:")] == []


def test_the_tutorial_prints_the_code_of_the_page():
    code = (PAGE / "app.js").read_text()
    printed = re.findall(r"```js\n(.*?)```", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL)

    assert printed
    assert "\n".join(printed) == code, "the tutorial holds app.js, in order and whole"


def test_the_guides_are_a_site_that_asks_nobody_else(browser, tmp_path):
    with showing(site.build(tmp_path / "site")) as address:
        browser.get(f"{address}/tutorial.html")
        WebDriverWait(browser, PATIENCE).until(lambda _: browser.find_elements(By.CSS_SELECTOR, "nav a"))

        keep_picture(browser, "guides")
        assert complaints(browser) == []
        assert foreign_requests(browser, address) == []
