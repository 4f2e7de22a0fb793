"""Writes the parts of the guides that the code knows best: settings, commands and error codes.

``make reference`` runs it; ``tests/test_docs.py`` fails while a page differs.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from taskwell.api.failures import FAILURES
from taskwell.cli.main import command_line
from taskwell.settings import Settings

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by 'make reference'; change the code or .env.example instead. -->"
_SETTING = re.compile(r"^# (.+)\n(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
"""What it does, its name and its default; a ``.env`` has no comments behind values."""


def settings() -> str:
    """Every setting, in the words of ``.env.example``."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    rows = [
        _row(f"`{name}`", _code(value.strip('"')), f"{meaning}{_limits(name.lower())}")
        for meaning, name, value in _SETTING.findall(text)
    ]
    return f"""# Settings

{NOTE}

Settings come from the environment, and from a file `.env` in the working directory; the environment wins. Names
have no case. They are read once, at the start; a value that cannot be used ends the start with one line that names
the setting. A name that is no setting is ignored, since the environment is full of them; `taskwell doctor` notes
those in `.env`. [`.env.example`](../.env.example) is this table as a file to copy.

{_table("Setting", "Default", "What it does", rows)}
## Spellings of `DATABASE_URL`

| Spelling | Is |
|---|---|
| `sqlite:///taskwell.db` | a file in the working directory |
| `sqlite:////var/lib/taskwell/taskwell.db` | a file anywhere: four slashes |
| `postgresql://USER:PASSWORD@HOST:PORT/NAME`, `postgres://…` | PostgreSQL; what is left out is as with `psql` |
| `postgresql:///NAME?host=HOST&port=PORT&user=USER&password=PASSWORD` | the same parts in the query, `dbname` \
too; `host` may be the folder of a socket |
| `postgresql://HOST1:PORT1,HOST2:PORT2/NAME` | several hosts, tried in turn; with `target_session_attrs=read-write` \
the one that writes |
| `postgresql:///?service=NAME` | a service of `~/.pg_service.conf`, or of the file that `PGSERVICEFILE` names |
| `postgresql+DRIVER://…`, `sqlite+DRIVER:///…` | SQLAlchemy's; the driver is ours whichever it names |

The scheme has no case. Signs such as `@`, `/` and `%` in a password are written as in every URL: `%40`, `%2F` and
`%25`. `sslmode` and `sslrootcert` count; `verify-ca` and `verify-full` trust the system's roots where no root
certificate is named. `channel_binding`, `connect_timeout` and `gssencmode` may be there, and change nothing. Every
parameter that asyncpg does not know, such as `application_name` or `options`, goes to the server as a setting of the
session.
"""


def _limits(name: str) -> str:
    """From where to where a number may go; that it is not negative goes without saying."""
    described = Settings.model_json_schema()["properties"][name]
    rules = {rule: value for each in (described, *described.get("anyOf", ())) for rule, value in each.items()}
    most = rules.get("maximum")
    if "exclusiveMinimum" in rules:
        return f" (above {rules['exclusiveMinimum']}{f', up to {most}' if most else ''})"
    least = rules.get("minimum", 0)
    return f" ({least} to {most})" if most else f" ({least} or more)" if least else ""


def documented_settings() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return {name.lower() for _, name, _ in _SETTING.findall(text)}


def known_settings() -> set[str]:
    return set(Settings.model_fields)


def commands() -> str:
    """Every command of ``taskwell``."""
    sections = "\n".join(_section(*each) for each in _walk(typer.main.get_command(command_line()), "taskwell"))
    return f"""# Commands

{NOTE}

In a clone the command is `.venv/bin/taskwell`; where it is installed, `taskwell`.

Every command reads the same [settings](settings.md) and has `--help`. Exit codes: 0 it worked, 1 the work could not
be done, 2 the command or a setting is wrong. An error that an operator can fix is one line on standard error.

{sections}"""


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for word, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from _walk(inner, f"{name} {word}")
        elif not inner.hidden:
            yield f"{name} {word}", inner


def _section(name: str, command: Any) -> str:
    words = " ".join((command.help or "").split())
    about, _, example = words.partition("Example: ")
    rows = [_parameter(each) for each in command.params if each.name != "help"]
    section = f"## `{name}`\n\n{about.strip()}\n"
    if example:
        section += f"\n```sh\n{example}\n```\n"
    return section + (f"\n{_table('Argument or option', 'Default', 'What it is', rows)}" if rows else "")


def _parameter(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    name = parameter.name.upper() if is_argument else ", ".join([*parameter.opts, *parameter.secondary_opts])
    default = "" if parameter.default is None or parameter.required else str(parameter.default)
    return _row(f"`{name}`", "required" if parameter.required else _code(default), parameter.help or "")


def errors() -> str:
    """Every error code."""
    listed = sorted(FAILURES.values(), key=lambda failure: failure.error.status)
    rows = [
        _row(str(each.error.status), f"<a id='{each.error.code}'></a>`{each.error.code}`", each.advice)
        for each in listed
    ]
    return f"""# Errors

{NOTE}

A v1 error is `application/problem+json` (RFC 9457):

```json
{{
  "type": "/errors#not_found",
  "title": "Not found",
  "status": 404,
  "detail": "There is no such task.",
  "code": "not_found",
  "request_id": "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
}}
```

- Decide on `code`: it never changes. `detail` is one sentence for people, and may be worded better one day.
- `request_id` is also in `X-Request-ID` and in the server's log. Give it to the operator.
- A 422 has `errors`: a list of `{{location, field, message, type}}`, one for each broken rule.
- A bulk that failed has `index`: which operation it was.

The other contracts have the same errors in their own shapes; see [the contracts](contracts.md). A running server
shows this table at `/errors`.

{_table("Status", "Code", "What to do", rows)}"""


def _table(first: str, second: str, third: str, rows: list[str]) -> str:
    return "\n".join([_row(first, second, third), "|---|---|---|", *rows]) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


PAGES = {"docs/settings.md": settings, "docs/commands.md": commands, "docs/errors.md": errors}

if __name__ == "__main__":
    for path, write in PAGES.items():
        (ROOT / path).write_text(write(), encoding="utf-8")
