"""The pages that mailed links lead to, in a real browser on a telephone, without JavaScript."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import PATIENCE, complaints, find
from tests.support.pictures import keep_picture
from tests.support.server import serving

TELEPHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
TASKWELL = Path(sys.executable).with_name("taskwell")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_password_is_reset_on_a_telephone_without_javascript(browser, tmp_path: Path, colours: str):
    database = f"sqlite:///{tmp_path}/taskwell.db"
    account = {"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}
    with serving(tmp_path, database) as server:
        assert httpx2.post(f"{server}/api/v1/auth/signup", json=account).status_code == 201
        command = [str(TASKWELL), "users", "reset-link", account["email"]]
        printed = subprocess.run(
            command, cwd=tmp_path, env={"DATABASE_URL": database}, capture_output=True, text=True, check=True
        )
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
        chosen = {"features": [{"name": "prefers-color-scheme", "value": colours}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", chosen)
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            browser.get(server + printed.stdout.strip().partition(":8000")[2])
            find(browser, "#new_password").send_keys("password1")
            keep_picture(browser, f"reset-password-{colours}")
            find(browser, "form .button").click()
            assert "most common" in find(browser, "#broken_rule").text
            keep_picture(browser, f"reset-password-weak-{colours}")
            find(browser, "#new_password").send_keys("engine 1852")
            find(browser, "form .button").click()
            changed = until.text_to_be_present_in_element((By.TAG_NAME, "h1"), "Password changed")
            WebDriverWait(browser, PATIENCE, ignored_exceptions=[StaleElementReferenceException]).until(changed)
            keep_picture(browser, f"reset-password-done-{colours}")
        finally:
            browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
            browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        login = {"email": account["email"], "password": "engine 1852"}
        assert httpx2.post(f"{server}/api/v1/auth/login", json=login).status_code == 200
        assert [each for each in complaints(browser) if "422" not in each] == []
