"""The pages behind the links in mails, for servers without a front end.

A page changes nothing by itself, since mail scanners follow links too. Its form does.
"""

import re
from typing import Annotated

from fastapi import Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from taskwell.api.attempts import note
from taskwell.api.call import Call, RequestContext
from taskwell.api.mailed_links import reset_password, verify_email
from taskwell.api.pages import markup
from taskwell.delivery.unsubscribing import unsubscribe
from taskwell.errors import AppError, EmailTaken, Invalid, LinkOver

POLICY = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; img-src 'self' data:; "
    "style-src 'self'"
)

_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


class Link(BaseModel):
    token: str = ""


class NewPassword(Link):
    new_password: str = ""


async def show_verify_email(call: Call, link: Annotated[Link, Query()]) -> Response:
    return _html(call, markup.verify_email(link.token))


async def show_invitation(call: Call, link: Annotated[Link, Query()]) -> Response:
    """Where no front end does it by itself, people enter the invitation there. It shows nothing but a token."""
    if not _TOKEN.fullmatch(link.token):
        return _html(call, markup.notice(LinkOver.title, LinkOver().detail), status=LinkOver.status)
    sentence = f"Sign in to the app that you use with this server, and enter this invitation there: {link.token}"
    return _html(call, markup.notice("You are invited to share tasks", sentence))


async def do_verify_email(call: Call, link: Annotated[Link, Form()]) -> Response:
    try:
        await verify_email(call, link.token)
    except (LinkOver, EmailTaken) as error:
        return _failed(call, error)
    return _html(call, markup.notice("E-mail confirmed", "Thank you. You can close this page."))


async def show_reset_password(call: Call, link: Annotated[Link, Query()]) -> Response:
    return _html(call, markup.reset_password(link.token))


async def do_reset_password(call: Call, form: Annotated[NewPassword, Form()]) -> Response:
    try:
        await reset_password(call, form.token, form.new_password)
    except LinkOver as error:
        return _failed(call, error)
    except Invalid as error:
        page = markup.reset_password(form.token, broken_rule=error.errors[0].message)
        return _html(call, page, status=error.status)
    return _html(call, markup.notice("Password changed", "Every device is signed out; sign in with the new one."))


async def show_unsubscribe(call: Call, link: Annotated[Link, Query()]) -> Response:  # it is in the address
    return _html(call, markup.unsubscribe())


async def do_unsubscribe(call: Call, link: Annotated[Link, Query()]) -> Response:
    """Takes any body: mail programs post one of their own (RFC 8058)."""
    try:
        user_id = await unsubscribe(call.lane, call.settings, link.token)
    except LinkOver as error:
        return _failed(call, error)
    note(call, "unsubscribed", user_id=user_id)
    return _html(call, markup.notice("No more reminders by e-mail", "Those that were still to come are removed."))


def _failed(call: RequestContext, error: AppError) -> Response:
    return _html(call, markup.notice(error.title, error.detail), status=error.status)


def _html(call: RequestContext, page: str, *, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    text = markup.below(call.settings.root_path, page)
    return Response(text, status_code=status, headers=headers, media_type="text/html")
