"""The pages behind the links in mails, for servers without a front end."""

from typing import Annotated

from fastapi import Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from taskwell.api.accounts import verify_email
from taskwell.api.call import Call
from taskwell.api.pages import markup
from taskwell.errors import EmailTaken, LinkOver

POLICY = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; img-src 'self' data:; "
    "style-src 'self'"
)


class Link(BaseModel):
    token: str = ""


async def show_verify_email(call: Call, link: Annotated[Link, Query()]) -> Response:
    """Shows a form and changes nothing, since mail scanners follow links too."""
    return _html(markup.verify_email(link.token))


async def do_verify_email(call: Call, link: Annotated[Link, Form()]) -> Response:
    try:
        await verify_email(call, link.token)
    except (LinkOver, EmailTaken) as error:
        return _html(markup.notice(error.title, error.detail), status=error.status)
    return _html(markup.notice("E-mail confirmed", "Thank you. You can close this page."))


def _html(text: str, *, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return Response(text, status_code=status, headers=headers, media_type="text/html")
