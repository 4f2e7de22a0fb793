"""Builds the guides as a site, strictly: a link or an anchor that leads nowhere fails, and so does a broken table.

The pages are those of docs/ and a few from the root of the repository, so that each can also be read where it lies.
What a page links to beyond the site is named there, and not a link.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
FROM_THE_ROOT = {"SECURITY.md": "security.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
PICTURE = ".png"
"""Each lies beside the page that shows it, here and on the site."""
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_ROWS = re.compile(r"(?:^\|.*\n?)+", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|(?: *:?-+:? *\|)+")

Section = tuple[str, list[str]]


def pages() -> dict[Path, str]:
    """Where each page lies, and where it goes on the site."""
    docs = ROOT / "docs"
    guides = {path: path.relative_to(docs).as_posix() for path in sorted(docs.rglob("*.md"))}
    return guides | {ROOT / name: place for name, place in FROM_THE_ROOT.items()}


def navigation(places: dict[Path, str]) -> list[Section]:
    """The sections and pages of docs/index.md; a page that it does not name joins its folder or comes last."""
    index = ROOT / "docs" / "index.md"
    named = {"index.md"}
    sections: list[Section] = []
    for part in index.read_text(encoding="utf-8").split("\n## ")[1:]:
        found = [places.get(_target(index, link)) for _, link in _LINK.findall(part)]
        fresh = [place for place in dict.fromkeys(found) if place is not None and place not in named]
        named.update(fresh)
        sections.append((part.partition("\n")[0].strip(), fresh))
    for place in (place for place in places.values() if place not in named):
        folder = place.rpartition("/")[0]
        kin = [names for _, names in sections if folder and any(name.startswith(f"{folder}/") for name in names)]
        (kin[-1] if kin else _last(sections)).append(place)
    return sections


def _last(sections: list[Section]) -> list[str]:
    if sections[-1][0] != "More":
        sections.append(("More", []))
    return sections[-1][1]


def placed(page: Path, places: dict[Path, str]) -> str:
    """A page's text, its links turned to where the pages are on the site.

    Raises:
        SystemExit: A link leads nowhere, or a table is broken.
    """
    text = page.read_text(encoding="utf-8")
    depth = places[page].count("/")
    if broken := broken_tables(text):
        raise SystemExit(f"{page.relative_to(ROOT)}: this begins no table: {broken[0]}")

    def turned(found: re.Match[str]) -> str:
        text, link = found.groups()
        if link.startswith(("http:", "https:", "mailto:", "#")):
            return found[0]
        target, anchor = _target(page, link), link.partition("#")[2]
        if not target.exists():
            raise SystemExit(f"{page.relative_to(ROOT)}: {link} leads nowhere")
        if target.suffix == PICTURE:
            return found[0]
        if target not in places:
            return text
        return f"[{text}]({'../' * depth}{places[target]}{'#' if anchor else ''}{anchor})"

    return _LINK.sub(turned, text)


def broken_tables(text: str) -> list[str]:
    """The first row of each run of rows that no reader would see as a table."""
    found = (rows[0].splitlines() for rows in _ROWS.finditer(_FENCED.sub("", text)))
    return [rows[0] for rows in found if not _is_table(rows)]


def _is_table(rows: list[str]) -> bool:
    widths = {len(_BAR.findall(row)) for row in rows}
    return len(rows) > 1 and _RULE.fullmatch(rows[1].strip()) is not None and len(widths) == 1


def _target(page: Path, link: str) -> Path:
    return (page.parent / link.partition("#")[0]).resolve()


def _lay_out(folder: Path) -> None:
    places = pages()
    shutil.rmtree(folder, ignore_errors=True)
    for page, place in places.items():
        there = folder / "pages" / place
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(placed(page, places), encoding="utf-8")
    for picture in (ROOT / "docs").rglob(f"*{PICTURE}"):
        shutil.copy(picture, folder / "pages" / picture.relative_to(ROOT / "docs"))
    sections = ", ".join(f"{{ {json.dumps(title)} = {json.dumps(names)} }}" for title, names in navigation(places))
    config = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    nav = f'[project]\nnav = [{{ "Guides" = "index.md" }}, {sections}]'
    (folder / "zensical.toml").write_text(config.replace("[project]", nav, 1), encoding="utf-8")


def _loaded_from_elsewhere(folder: Path) -> Iterator[str]:
    """What the built pages would load from another host."""
    for page in folder.rglob("*.html"):
        for tag in _ELSEWHERE.findall(page.read_text(encoding="utf-8")):
            if 'rel="canonical"' not in tag:
                yield f"{page.relative_to(folder)} loads {tag}"


def build(folder: Path = SITE) -> Path:
    """Builds the site within a folder, and gives where its pages are.

    Raises:
        SystemExit: A page is not right; what is wrong with it was printed.
    """
    _lay_out(folder)
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if built.returncode:
        raise SystemExit(built.stdout + built.stderr.partition("Traceback")[0])
    html = folder / "html"
    if foreign := list(_loaded_from_elsewhere(html)):
        raise SystemExit("\n".join(foreign))
    return html


if __name__ == "__main__":
    build()
