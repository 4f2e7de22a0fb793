"""One browser for everybody here."""

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.support.browser import chromium


@pytest.fixture(scope="session")
def shared_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def browser(shared_browser: webdriver.Chrome) -> webdriver.Chrome:
    """The browser, without what the pages of other tests have left in its logs."""
    shared_browser.get("about:blank")
    for kind in ("browser", "performance"):
        shared_browser.get_log(kind)
    return shared_browser
