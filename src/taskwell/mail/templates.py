"""The words of every mail: a template for its text, which begins with the subject, and one for its HTML.

Those in the folder ``MAIL_TEMPLATES`` come before our own, file by file.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    select_autoescape,
)

from taskwell.mail.letter import Letter
from taskwell.settings import InvalidSettings, Settings

_LINK = {"link": "https://tasks.example.com/account/verify-email?token=x"}
SAMPLES: dict[str, dict[str, Any]] = {
    "verify_email": _LINK,
    "email_changed": {},
    "invitation": _LINK | {"host": "ada@example.com"},
    "reset_password": _LINK,
    "password_reset": {"services": ["https://accounts.example.com"]},
    "locked_out": _LINK,
    "token_made": {},
    "webhook_set": {},
    "provider_linked": {},
    "provider_opened": {},
    "reminder": {
        "title": "Call Ada",
        "due": "Due on Saturday, 21 November 2026.",
        "description": "About the engine.\nAnd the notes.",
        "unsubscribe": "https://tasks.example.com/account/unsubscribe?token=x",
    },
}
"""Every mail there is, with what its templates are given."""

SUBJECT = "Subject: "


def written(settings: Settings, name: str, **values: Any) -> Letter:
    """The mail; a value never counts as part of a template."""
    environment = _environment(settings.mail_templates)
    head, _, text = environment.get_template(f"{name}.txt").render(values).partition("\n")
    if not head.startswith(SUBJECT):
        raise TemplateError(f"the first line of {name}.txt must begin with '{SUBJECT}'")
    subject = head.removeprefix(SUBJECT)
    html = environment.get_template(f"{name}.html").render(values, subject=subject)
    return Letter(subject, text.strip() + "\n", html, values.get("unsubscribe"))


def check(settings: Settings) -> None:
    """Writes every mail once.

    Raises:
        InvalidSettings: one of the operator's templates cannot be used; it says which, and why.
    """
    if settings.mail_templates is None:
        return
    for name, values in SAMPLES.items():
        try:
            written(settings, name, **values)
        except (TemplateError, OSError, UnicodeDecodeError, TypeError, ValueError) as error:
            where = f"{error.name or name}, line {error.lineno}" if isinstance(error, TemplateSyntaxError) else name
            raise InvalidSettings(f"MAIL_TEMPLATES: {where}: {error}") from error


def unknown(folder: Path) -> list[str]:
    """Files in the operator's folder that no mail is made of."""
    ours = set(PackageLoader("taskwell.mail").list_templates())
    return sorted(found for found in FileSystemLoader(folder).list_templates() if found not in ours)


@cache
def _environment(folder: Path | None) -> Environment:
    ours = PackageLoader("taskwell.mail")
    return Environment(
        loader=ours if folder is None else ChoiceLoader([FileSystemLoader(folder), ours]),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        auto_reload=False,
    )
