"""Pictures of pages, kept where somebody finds them after the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium import webdriver

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "test-results"
"""Git ignores it."""


def keep_picture(browser: webdriver.Chrome, name: str, top: str = "body") -> None:
    """Keeps what the browser shows, from an element on."""
    FOLDER.mkdir(exist_ok=True)
    browser.execute_script("document.querySelector(arguments[0]).scrollIntoView({behavior: 'instant'})", top)
    assert browser.save_screenshot(str(FOLDER / f"{name}.png"))


def pictures_since(instant: float) -> list[str]:
    """Those that were taken since then, as paths from the root of the repository."""
    taken = (path for path in FOLDER.glob("*.png") if path.stat().st_mtime >= instant)
    return sorted(str(path.relative_to(ROOT)) for path in taken)
