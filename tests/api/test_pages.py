"""The pages, the documents and the files that the pages load."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser

import httpx2
import pytest

from taskwell.api.failures import FAILURES
from taskwell.api.gateway import Gateway
from taskwell.api.pages.assets import FILES, FOREVER, asset
from taskwell.app import create_app
from tests.conftest import running
from tests.support.people import Person, client

PAGES = [
    "/",
    "/errors",
    *(f"/{viewer}{name}" for viewer in ("docs", "redoc") for name in ("", "/todos", "/user_tasks")),
]


class Links(HTMLParser):
    """What a page links to and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.has_inline_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.addresses += [value for name in ("href", "src", "data-document") if (value := known.get(name))]
        self.ids |= {identifier} if (identifier := known.get("id")) else set()
        self.has_inline_script |= tag == "script" and "src" not in known


@pytest.mark.parametrize("path", PAGES)
async def test_everything_that_a_page_links_to_is_here(nobody: httpx2.AsyncClient, path: str):
    page = await nobody.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    links = Links(page.text)
    assert not links.has_inline_script
    for address in links.addresses:
        assert address.startswith(("/", "#"))
        target, _, mark = address.partition("#")
        found = await nobody.get(target or path)
        assert found.status_code == 200, address
        assert not mark or mark in Links(found.text).ids


@pytest.mark.parametrize("path", PAGES)
async def test_a_pages_policy_lets_it_run_its_own_scripts_only(nobody: httpx2.AsyncClient, path: str):
    policy = (await nobody.get(path)).headers["content-security-policy"]

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    assert rules.get("script-src", "'self'") == "'self'"
    assert "unsafe-eval" not in policy
    assert not re.search(r"https?:", policy)


async def test_every_error_code_has_its_place_on_the_errors_page(nobody: httpx2.AsyncClient):
    refused = await nobody.get("/api/v1/tasks")
    page, _, mark = refused.json()["type"].partition("#")

    ids = Links((await nobody.get(page)).text).ids

    assert mark in ids
    assert set(FAILURES) <= ids


async def test_the_home_pages_command_names_the_host_that_was_asked(nobody: httpx2.AsyncClient):
    page = await nobody.get("/", headers={"Host": "todo.example&'x'"})

    assert "http://todo.example&amp;&#39;x&#39;/api/v1/auth/signup" in page.text


@pytest.mark.parametrize("path", FILES)
async def test_a_file_is_kept_for_ever_at_the_address_of_its_content(nobody: httpx2.AsyncClient, path: str):
    file = await nobody.get(asset(path).url)
    unmarked = await nobody.get(f"/assets/{path}")
    again = await nobody.get(asset(path).url, headers={"If-None-Match": file.headers["etag"]})

    assert file.content == asset(path).content
    assert file.headers["cache-control"] == FOREVER
    assert "immutable" not in unmarked.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi/todos.json", "/openapi/user_tasks.json"])
async def test_a_document_is_served_with_an_etag(nobody: httpx2.AsyncClient, path: str):
    first = await nobody.get(path)
    again = await nobody.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert first.json()["openapi"].startswith("3.1")
    assert again.status_code == 304


async def test_a_file_that_is_not_a_pages_own_is_not_served(nobody: httpx2.AsyncClient):
    for path in ("/assets/README.md", "/assets/../site.py", "/assets/%2e%2e/site.py", "/assets/swagger-ui/LICENSE"):
        assert (await nobody.get(path)).status_code == 404


@pytest.fixture
async def below(app: Gateway, ada: Person) -> AsyncIterator[Person]:
    """ada, behind a proxy that strips ``/taskwell``."""
    assert app.services is not None
    site = create_app(app.settings.model_copy(update={"root_path": "/taskwell"}))
    async with running(site):
        yield replace(ada, http=client(site, {"Authorization": f"Bearer {ada.token}"}))


async def test_behind_a_prefix_every_link_has_it(below: Person):
    for path in PAGES:
        page = await below.http.get(path)
        links = [each for each in Links(page.text).addresses if not each.startswith("#")]
        assert links
        assert all(each.startswith("/taskwell/") for each in links), path
    assert "/taskwell/api/v1/auth/signup" in (await below.http.get("/")).text


async def test_behind_a_prefix_the_documents_and_new_things_are_found_below_it(below: Person):
    document = (await below.http.get("/openapi.json")).json()
    made = await below.http.post("/api/v1/tasks", json={"title": "Buy milk"})
    await below.http.post("/api/v1/tasks", json={"title": "Buy bread"})
    page = await below.http.get("/api/v1/tasks?limit=1")

    assert [each["url"] for each in document["servers"]] == ["/taskwell"]
    flows = document["components"]["securitySchemes"]["EmailAndPassword"]["flows"]
    assert flows["password"]["tokenUrl"] == "/taskwell/api/v1/auth/token"
    assert made.headers["location"] == f"/taskwell/api/v1/tasks/{made.json()['id']}"
    assert page.headers["link"].startswith("</taskwell/api/v1/tasks?")
