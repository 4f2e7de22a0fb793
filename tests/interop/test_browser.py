"""The API page in a real browser: Debian's Chromium, driven by Selenium."""

import json
import os
import shutil
from collections.abc import Iterator

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.server import serving

PATIENCE = 60
"""Seconds; two busy cores draw slowly."""

EMAIL, PASSWORD = "ada@example.com", "engine 1843"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1600",
)
"""Chromium asks nobody for anything on its own, so that every request is the page's."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        assert os.environ.get("REQUIRE_INTEROP") != "1", "REQUIRE_INTEROP=1, and there is no chromium"
        pytest.skip("chromium and chromedriver are not on PATH (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, f"sqlite:///{folder}/taskwell.db") as address:
        yield address


def find(browser: webdriver.Chrome, selector: str) -> WebElement:
    """The element, once it can be clicked."""
    return WebDriverWait(browser, PATIENCE).until(until.element_to_be_clickable((By.CSS_SELECTOR, selector)))


def complaints(browser: webdriver.Chrome) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}]


def foreign_requests(browser: webdriver.Chrome, server: str) -> list[str]:
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if url.startswith("http") and not url.startswith(server)]


@pytest.mark.parametrize(
    ("path", "landmark"),
    [
        ("/", "h1"),
        ("/errors", "#not_found"),
        ("/docs", ".opblock"),
        ("/docs/todos", ".opblock"),
        ("/docs/user_tasks", ".opblock"),
        ("/redoc", "[data-section-id^='tag/']"),
        ("/redoc/todos", "[data-section-id^='tag/']"),
        ("/redoc/user_tasks", "[data-section-id^='tag/']"),
    ],
)
def test_a_page_shows_itself_without_a_complaint_or_a_foreign_request(browser, server, tmp_path, path, landmark):
    browser.get(server + path)

    WebDriverWait(browser, PATIENCE).until(until.presence_of_element_located((By.CSS_SELECTOR, landmark)))

    assert complaints(browser) == []
    assert foreign_requests(browser, server) == []
    assert browser.save_screenshot(str(tmp_path / "page.png"))


def test_somebody_signs_in_on_the_api_page_and_creates_a_task(browser, server, tmp_path):
    account = {"email": EMAIL, "password": PASSWORD, "name": "Ada"}
    token = httpx2.post(f"{server}/api/v1/auth/signup", json=account).json()["access_token"]
    browser.get(f"{server}/docs")

    find(browser, ".btn.authorize").click()
    find(browser, "#oauth_username").send_keys(EMAIL)
    find(browser, "#oauth_password").send_keys(PASSWORD)
    find(browser, ".auth-container:has(#oauth_username) .btn.authorize").click()
    WebDriverWait(browser, PATIENCE).until(
        until.text_to_be_present_in_element((By.CSS_SELECTOR, ".dialog-ux"), "Logout"),
    )
    assert browser.save_screenshot(str(tmp_path / "signed-in.png"))
    find(browser, ".close-modal").click()
    find(browser, "#operations-tasks-create_task .opblock-summary-control").click()
    find(browser, "#operations-tasks-create_task .execute").click()
    status = (By.CSS_SELECTOR, "#operations-tasks-create_task .live-responses-table .response .response-col_status")
    WebDriverWait(browser, PATIENCE).until(until.text_to_be_present_in_element(status, "201"))

    assert browser.save_screenshot(str(tmp_path / "created.png"))
    assert complaints(browser) == []
    assert foreign_requests(browser, server) == []
    found = httpx2.get(f"{server}/api/v1/tasks", headers={"Authorization": f"Bearer {token}"}).json()
    assert [task["title"] for task in found["items"]] == ["Buy milk"]
