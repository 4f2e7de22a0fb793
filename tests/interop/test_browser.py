"""The API page in a real browser."""

from collections.abc import Iterator

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import PATIENCE, complaints, find, foreign_requests
from tests.support.pictures import keep_picture
from tests.support.server import serving

EMAIL, PASSWORD = "ada@example.com", "engine 1843"
SIGN_UP, CREATE = "[id^='operations-auth'][id$='.signup']", "[id^='operations-tasks'][id$='.create']"
TELEPHONE = {"width": 390, "height": 1500, "deviceScaleFactor": 1, "mobile": True}
LINES_OF_HEADINGS = (
    "return [...document.querySelectorAll('.opblock-tag > a')].map(each => each.getClientRects().length)"
)
GROUND = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, f"sqlite:///{folder}/taskwell.db") as address:
        yield address


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
def test_a_page_shows_itself_without_a_complaint_or_a_foreign_request(browser, server, path, landmark):
    browser.get(server + path)

    WebDriverWait(browser, PATIENCE).until(until.presence_of_element_located((By.CSS_SELECTOR, landmark)))

    assert complaints(browser) == []
    assert foreign_requests(browser, server) == []
    keep_picture(browser, f"page{path.replace('/', '-').rstrip('-')}")


@pytest.fixture
def telephone(browser: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_api_page_fits_a_telephone_and_has_the_colours_of_its_system(telephone, server, colours):
    chosen = {"features": [{"name": "prefers-color-scheme", "value": colours}]}
    telephone.execute_cdp_cmd("Emulation.setEmulatedMedia", chosen)
    telephone.get(f"{server}/docs")
    find(telephone, f"{CREATE} .opblock-summary-control").click()
    find(telephone, f"{CREATE} .execute")

    assert set(telephone.execute_script(LINES_OF_HEADINGS)) == {1}
    assert telephone.execute_script("return document.documentElement.scrollWidth") == TELEPHONE["width"]
    assert (max(telephone.execute_script(GROUND)) < 64) == (colours == "dark")
    keep_picture(telephone, f"page-docs-telephone-{colours}")


def try_out(browser: webdriver.Chrome, operation: str) -> None:
    """Opens an operation and sends its example."""
    find(browser, f"{operation} .opblock-summary-control").click()
    find(browser, f"{operation} .execute").click()
    status = (By.CSS_SELECTOR, f"{operation} .live-responses-table .response .response-col_status")
    WebDriverWait(browser, PATIENCE).until(until.text_to_be_present_in_element(status, "201"))


def test_somebody_signs_up_and_in_on_the_api_page_and_creates_a_task(browser, server):
    """As docs/start.md says."""
    browser.get(f"{server}/docs")

    try_out(browser, SIGN_UP)
    find(browser, ".btn.authorize").click()
    find(browser, "#oauth_username").send_keys(EMAIL)
    find(browser, "#oauth_password").send_keys(PASSWORD)
    find(browser, ".auth-container:has(#oauth_username) .btn.authorize").click()
    WebDriverWait(browser, PATIENCE).until(
        until.text_to_be_present_in_element((By.CSS_SELECTOR, ".dialog-ux"), "Logout"),
    )
    keep_picture(browser, "api-page-signed-in")
    find(browser, ".close-modal").click()
    try_out(browser, CREATE)

    keep_picture(browser, "api-page-task-created", f"{CREATE} .opblock-section-request-body")
    assert complaints(browser) == []
    assert foreign_requests(browser, server) == []
    signed_in = httpx2.post(f"{server}/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
    ada = {"Authorization": f"Bearer {signed_in['access_token']}"}
    found = httpx2.get(f"{server}/api/v1/tasks", headers=ada).json()
    assert [task["title"] for task in found["items"]] == ["Buy milk"]
