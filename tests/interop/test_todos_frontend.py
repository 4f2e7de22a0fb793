"""The todos front end in a real browser, served from another origin than the API."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.ui import WebDriverWait

from tests.conftest import new_postgres_database
from tests.interop.test_tutorial import showing
from tests.support.browser import PATIENCE
from tests.support.server import serving

PAGE = Path(__file__).parents[1] / "frontends"


@pytest.fixture(params=["sqlite", "postgresql"])
async def page_database_url(request, tmp_path: Path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/taskwell.db"
        return
    async with new_postgres_database("taskwell_frontend") as url:
        yield url


async def test_it_works_from_sign_up_to_sign_out(browser, tmp_path: Path, page_database_url: str):
    with showing(tmp_path) as origin, serving(tmp_path, page_database_url, ALLOWED_ORIGINS=origin) as address:
        (tmp_path / "index.html").write_text((PAGE / "todos.html").read_text())
        (tmp_path / "todos.js").write_text((PAGE / "todos.js").read_text().replace("API_ADDRESS", address))

        browser.get(origin)
        WebDriverWait(browser, PATIENCE).until(
            until.text_to_be_present_in_element((By.CSS_SELECTOR, "#seen"), "the end")
        )

        assert [item.text for item in browser.find_elements(By.CSS_SELECTOR, "#seen li")] == [
            "401 The e-mail or the password is wrong.",
            "ada@example.com",
            "Buy tea, green, low, true",
            "1 completed",
            "Todo deleted successfully",
            "404 There is no such task.",
            "403 The path names another user; use your own id.",
            "401 The token was revoked, or its account is gone or disabled; sign in again.",
            "the end",
        ]
