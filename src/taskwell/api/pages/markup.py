"""The pages as HTML; the templates lie in ``templates/``."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template

import orjson

from taskwell import __version__
from taskwell.api.failures import FAILURES, Failure
from taskwell.api.pages.assets import asset
from taskwell.api.problems import problem

FOLDER = Path(__file__).parent / "templates"

CONTRACTS = {
    "v1": ("/api/v1/…", "new clients; also under <code>/api/v1/users/{user_id}</code>"),
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


def address(page: str, contract: str) -> str:
    """Where a contract's page is; v1, the product's own, needs no name."""
    return f"/{page}" if contract == "v1" else f"/{page}/{contract}"


def home(origin: str) -> str:
    """What this is and where to go.

    Args:
        origin: As the caller reached us, for a command that works when it is copied.
    """
    rows = "".join(_contract_row(name, paths, reader) for name, (paths, reader) in CONTRACTS.items())
    content = _template("home").substitute(version=__version__, origin=escape(origin), contracts=rows)
    return _layout("Taskwell", content, current="/")


def _contract_row(name: str, paths: str, reader: str) -> str:
    links = [("docs", "try"), ("redoc", "read")]
    look = "".join(f'<a href="{address(page, name)}">{label}</a>' for page, label in links)
    look += f'<a href="{address("openapi", name)}.json">OpenAPI</a>'
    return f"<tr><td>{name}</td><td><code>{escape(paths)}</code></td><td>{reader}</td><td>{look}</td></tr>"


def verify_email(token: str) -> str:
    content = _template("verify_email").substitute(token=escape(token))
    return _layout("Confirm your e-mail · Taskwell", content, current="")


def notice(title: str, sentence: str) -> str:
    """What came of something, as a page."""
    content = _template("notice").substitute(title=escape(title), sentence=escape(sentence))
    return _layout(f"{title} · Taskwell", content, current="")


@cache
def errors() -> str:
    """Every error code, each at the address that a problem's ``type`` has."""
    example = problem(FAILURES["not_found"].error, "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f")
    shown = escape(orjson.dumps(example, option=orjson.OPT_INDENT_2).decode(), quote=False)
    listed = sorted(FAILURES.values(), key=lambda failure: failure.error.status)
    content = _template("errors").substitute(example=shown, codes="".join(map(_code, listed)))
    return _layout("Errors · Taskwell", content, current="/errors")


def _code(failure: Failure) -> str:
    error = failure.error
    return (
        f'<article id="{error.code}"><span class="status">{error.status}</span>'
        f'<h3><a href="#{error.code}"><code>{error.code}</code></a>'
        f'<span class="title">{escape(error.title)}</span></h3>'
        f"<p>{_with_code(failure.advice)}</p></article>"
    )


def _with_code(text: str) -> str:
    """Text in which backquotes mark code, as in Markdown."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


@cache
def reference(viewer: str, contract: str) -> str:
    """A contract's document in Swagger UI or in Redoc."""
    styles, scripts = VIEWERS[viewer]
    document = address("openapi", contract) + ".json"
    content = f'<main class="reference" id="reference" data-document="{document}"></main>'
    current = address(viewer, contract)
    return _layout(f"{contract} · Taskwell", content, styles=styles, scripts=scripts, current=current)


def _layout(
    title: str,
    content: str,
    *,
    current: str,
    styles: tuple[str, ...] = ("bar.css", "page.css"),
    scripts: tuple[str, ...] = (),
) -> str:
    return _template("layout").substitute(
        title=title,
        icon=asset("icon.svg").url,
        styles="\n".join(f'<link rel="stylesheet" href="{asset(each).url}">' for each in styles),
        scripts="\n".join(f'<script src="{asset(each).url}"></script>' for each in scripts),
        links="".join(_link(each, current) for each in _LINKS),
        content=content,
    )


_LINKS = (
    ("/docs", "API"),
    ("/docs/user_tasks", "user_tasks"),
    ("/docs/todos", "todos"),
    ("/redoc", "Reference"),
    ("/errors", "Errors"),
)


def _link(link: tuple[str, str], current: str) -> str:
    target, label = link
    mark = ' aria-current="page"' if target == current else ""
    return f'<a href="{target}"{mark}>{label}</a>'


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.html").read_text(encoding="utf-8"))
