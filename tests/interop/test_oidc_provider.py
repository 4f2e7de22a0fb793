"""Sign-in by a certified OpenID Connect provider: its login and consent pages, in a real browser, to a front end."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.support import npm
from tests.support.browser import PATIENCE, find
from tests.support.pictures import keep_picture
from tests.support.postgres import free_port
from tests.support.server import Server

FOLDER = Path(__file__).parent / "oidc_provider"
GUIDE = Path(__file__).parents[2] / "docs" / "providers.md"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the test says what was asked."""


@contextmanager
def front_end(folder: Path) -> Iterator[str]:
    """A page with the code of the guide, at an origin of its own."""
    shutil.copytree(FOLDER / "frontend", folder)
    for path, code in re.findall(r"```js\n// (\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        (folder / path).write_text(code)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def oidc_provider(port: int, redirect_uri: str) -> Iterator[str]:
    npm.install(FOLDER)
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "REDIRECT_URI": redirect_uri}
    command = ["node", "server.mjs"]
    with subprocess.Popen(
        command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@pytest.fixture
def page(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The front end's page, told where Taskwell is."""
    port = free_port()
    with front_end(tmp_path / "frontend") as site:
        lab = {"name": "lab", "title": "The lab", "issuer": f"http://127.0.0.1:{port}", "client_id": "taskwell"}
        provider = json.dumps([lab | {"client_secret": "lab-secret-0123456789"}])
        server = Server(tmp_path, database_url, workers=1, OIDC_PROVIDERS=provider, ALLOWED_ORIGINS=site)
        server.environment["PUBLIC_URL"] = server.url
        server.start()
        try:
            with oidc_provider(port, f"{server.url}/api/v1/auth/lab/callback"):
                yield f"{site}/?api={server.url}"
        finally:
            assert server.stop() == 0, server.log.read_text()


def shown(browser: webdriver.Chrome) -> str:
    """What the page says in the end."""
    WebDriverWait(browser, PATIENCE).until(lambda driver: driver.execute_script("return window.done"))
    return str(find(browser, "#said").text)


def sign_in(browser: webdriver.Chrome, page: str, name: str) -> None:
    """Through the provider's login and consent pages."""
    browser.get(page)
    find(browser, "#sign-in").click()
    find(browser, "[name=login]").send_keys(name)
    find(browser, "[name=password]").send_keys("any password")
    keep_picture(browser, "oidc-provider-login")
    find(browser, "[type=submit]").click()
    WebDriverWait(browser, PATIENCE).until(lambda driver: "Authorize" in driver.page_source)
    keep_picture(browser, "oidc-provider-consent")
    find(browser, "[type=submit]").click()


def test_somebody_signs_in_through_the_providers_pages_with_a_code_that_works_once(browser, page):
    sign_in(browser, page, "ada")

    assert shown(browser) == "ada@example.com"
    keep_picture(browser, "oidc-provider-signed-in")
    query = parse_qs(urlsplit(browser.current_url).query)
    verifier = browser.execute_script("return sessionStorage.verifier")
    api = parse_qs(urlsplit(page).query)["api"][0]
    body = {"code": query["code"][0], "code_verifier": verifier}
    again = httpx2.post(f"{api}/api/v1/auth/exchange", json=body)
    assert (again.status_code, again.json()["code"]) == (410, "link_over")


def test_who_cancels_at_the_provider_comes_back_with_an_error(browser, page):
    browser.delete_all_cookies()
    browser.get(page)
    find(browser, "#sign-in").click()
    find(browser, "[name=login]")

    find(browser, "a[href$='/abort']").click()

    assert shown(browser) == "access_denied"
