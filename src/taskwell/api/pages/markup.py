"""Renders the pages as HTML, from ``templates/``."""

import re
from functools import cache

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from taskwell import __version__
from taskwell.api.failures import FAILURES
from taskwell.api.pages.assets import asset
from taskwell.api.problems import problem

CONTRACTS = {
    "v1": ("/api/v1/…", "new clients; also under `/api/v1/users/{user_id}`"),
    "user_tasks": ("/api/{user_id}/tasks", "Better Auth front ends"),
    "v1_user_tasks": ("/api/v1/{user_id}/tasks", "clients of the HTTP and database upgrade"),
    "todos": ("/api/users/{user_id}/todos", "clients of the older todo API"),
}
VIEWERS = {
    "docs": (
        ("swagger-ui/swagger-ui.css", "bar.css", "docs.css"),
        ("swagger-ui/swagger-ui-bundle.js", "docs.js"),
    ),
    "redoc": (("bar.css",), ("redoc/redoc.standalone.js", "redoc.js")),
}
LINKS = (
    ("/docs", "API"),
    ("/docs/user_tasks", "user_tasks"),
    ("/docs/todos", "todos"),
    ("/redoc", "Reference"),
    ("/errors", "Errors"),
)


_LINK = re.compile(r'\b(href|src|data-document)="/')


def address(page: str, contract: str) -> str:
    """The address of a contract's page; v1 needs no name in it."""
    return f"/{page}" if contract == "v1" else f"/{page}/{contract}"


def home(origin: str) -> str:
    """The start page with links to all others.

    Args:
        origin: The origin that the caller used, for commands to copy.
    """
    return _page("home", title="Taskwell", current="/", version=__version__, origin=origin, contracts=CONTRACTS)


def verify_email(token: str) -> str:
    """The form that confirms an e-mail; it contains the token of the link."""
    return _page("verify_email", title="Confirm your e-mail · Taskwell", current="", token=token)


def reset_password(token: str, *, broken_rule: str = "") -> str:
    """The form for another password; it holds the token of the link.

    Args:
        broken_rule: What was wrong with the one that was sent.
    """
    title = "Choose a new password · Taskwell"
    return _page("reset_password", title=title, current="", token=token, broken_rule=broken_rule)


def unsubscribe() -> str:
    return _page("unsubscribe", title="No more reminders by e-mail · Taskwell", current="")


def notice(title: str, sentence: str) -> str:
    """A page with the result of an action."""
    return _page("notice", title=f"{title} · Taskwell", current="", heading=title, sentence=sentence)


def below(root_path: str, page: str) -> str:
    """The page with its links as they are behind a proxy that strips the prefix."""
    return _LINK.sub(rf'\1="{root_path}/', page)


@cache
def errors() -> str:
    """All error codes, each at the address in the ``type`` of a problem."""
    example = problem(FAILURES["not_found"].error, "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f")
    shown = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    listed = sorted(FAILURES.values(), key=lambda failure: failure.error.status)
    failures = [(failure.error, failure.advice) for failure in listed]
    return _page("errors", title="Errors · Taskwell", current="/errors", example=shown, failures=failures)


@cache
def reference(viewer: str, contract: str) -> str:
    """The document of a contract in Swagger UI or Redoc."""
    styles, scripts = VIEWERS[viewer]
    document, current = f"{address('openapi', contract)}.json", address(viewer, contract)
    title = f"{contract} · Taskwell"
    values = {"title": title, "current": current, "viewer": viewer, "document": document}
    return _page("reference", styles=styles, scripts=scripts, **values)


def _page(template: str, **values: object) -> str:
    return (
        _templates()
        .get_template(f"{template}.html")
        .render({"styles": ("bar.css", "page.css"), "scripts": ()} | values)
    )


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("taskwell.api.pages"), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    templates.globals |= {"links": LINKS, "address": address, "url": lambda path: asset(path).url}
    templates.filters["code"] = _with_code
    return templates


def _with_code(text: str) -> Markup:
    """Escapes a text, and turns backquotes into code as in Markdown."""
    return Markup(re.sub("`(.+?)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # it is escaped
