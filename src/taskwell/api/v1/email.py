"""v1: confirming the account's e-mail."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from taskwell import users
from taskwell.api.accounts import MessageOut
from taskwell.api.attempts import note
from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.mailed_links import verify_email
from taskwell.api.operation import AccountOperation, PublicOperation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.errors import EmailTaken, LinkOver, MailNotConfigured
from taskwell.tasks.fields import Text

router = APIRouter(prefix="/auth/email", tags=["auth"])


class EmailToken(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": "rJ1Yx0Qe4cGkq2mZ8v7bT5nLw9sHd3fUo6iPaXyEzKQ"}]},
    )

    token: Text


async def ask_again(call: Call) -> Response:
    if not call.settings.sends_mail:
        raise MailNotConfigured
    message = "Your e-mail is confirmed already."
    if await users.ask_again(call.lane, call.user):
        note(call, "verification_asked", user_id=call.user.user_id)
        message = "A mail with a link is on its way."
    return json_response({"message": message}, status=202, headers=PRIVATE)


async def verify(call: Call, body: EmailToken) -> Response:
    await verify_email(call, body.token)
    return Response(status_code=204, headers=PRIVATE)


router.add_api_route(
    "/verification",
    ask_again,
    methods=["POST"],
    summary="Send the mail that confirms your e-mail",
    status_code=202,
    response_model=MessageOut,
    responses=raises(MailNotConfigured),
    route_class_override=AccountOperation,
)
router.add_api_route(
    "/verify",
    verify,
    methods=["POST"],
    summary="Confirm an e-mail with the token of its link",
    status_code=204,
    responses=raises(LinkOver, EmailTaken),
    route_class_override=PublicOperation,
)
