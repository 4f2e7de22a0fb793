"""v1: where a user's webhook reminders go, and the log of what was delivered."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation
from taskwell.api.replies import FRESH, json_response, told_once
from taskwell.api.task_members import EXAMPLE_ID
from taskwell.api.v1.schemas import StrictModel
from taskwell.delivery import log, webhooks
from taskwell.delivery.log import SHOWN, Status
from taskwell.delivery.webhooks import Webhook
from taskwell.errors import EmailUnverified, NotFound
from taskwell.tasks.fields import Text
from taskwell.tasks.reminders import Channel

EXAMPLE_URL = "https://example.com/reminders"


class WebhookBody(StrictModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"url": EXAMPLE_URL}]})

    url: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1)]


class WebhookOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": EXAMPLE_URL, "created_at": "2026-11-21T08:00:00Z", "updated_at": "2026-11-21T08:00:00Z"}
            ]
        }
    )

    url: str
    created_at: datetime
    updated_at: datetime
    secret: str | None = Field(
        None, description="Only in the answer that made it: 'whsec_' and the key in base64. It is not shown again."
    )


class DeliveryOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "reminder_id": EXAMPLE_ID,
                    "task_id": EXAMPLE_ID,
                    "channel": "webhook",
                    "status": "retrying",
                    "attempts": 2,
                    "error": "The receiver answered 503.",
                    "created_at": "2026-11-21T08:00:00Z",
                    "tried_at": "2026-11-21T08:00:10Z",
                    "next_try_at": "2026-11-21T08:00:40Z",
                    "sent_at": None,
                }
            ]
        }
    )

    id: str = Field(description="The webhook-id of the request, and the first part of the e-mail's Message-ID.")
    reminder_id: str
    task_id: str
    channel: Channel
    status: Status
    attempts: int
    error: str | None = Field(description="Why the last attempt failed.")
    created_at: datetime
    tried_at: datetime
    next_try_at: datetime | None
    sent_at: datetime | None


class DeliveriesOut(BaseModel):
    items: list[DeliveryOut]


router = APIRouter(tags=["webhooks"], route_class=AccountOperation)


@router.get(
    "/webhook",
    summary="Show where webhook reminders go",
    response_model=WebhookOut,
    responses=raises(NotFound),
)
async def get_webhook(call: Call) -> Response:
    return webhook_response(await webhooks.get(call.lane, call.user))


@router.put(
    "/webhook",
    summary="Set where webhook reminders go",
    response_model=WebhookOut,
    responses=raises(EmailUnverified),
)
async def put_webhook(call: Call, body: WebhookBody) -> Response:
    """The first time the answer holds the secret that signs every request. Later changes keep it.

    It needs a confirmed e-mail, which is told of every other URL.
    """
    webhook = await webhooks.put(
        call.lane,
        call.user,
        body.url,
        allow_private=call.settings.webhook_allow_private,
        sends_mail=call.settings.sends_mail,
    )
    return webhook_response(webhook)


@router.post(
    "/webhook/secret",
    summary="Make a new webhook secret",
    response_model=WebhookOut,
    responses=raises(NotFound),
)
async def rotate_secret(call: Call) -> Response:
    """The answer holds the new secret; the old one signs nothing from now on."""
    return told_once(asdict(await webhooks.rotate(call.lane, call.user)), "secret")


@router.delete(
    "/webhook",
    summary="Forget the webhook and its secret",
    status_code=204,
    responses=raises(NotFound),
)
async def remove_webhook(call: Call) -> Response:
    await webhooks.remove(call.lane, call.user)
    return Response(status_code=204)


@router.get("/deliveries", summary=f"List the last {SHOWN} deliveries", response_model=DeliveriesOut)
async def list_deliveries(call: Call) -> Response:
    """Newest first, of the last 30 days. A failed one says why, and when it is tried again."""
    found = await log.latest(call.lane, call.user)
    return json_response({"items": [asdict(each) for each in found]}, headers=FRESH)


def webhook_response(webhook: Webhook) -> Response:
    shown = {name: value for name, value in asdict(webhook).items() if name != "secret" or value is not None}
    return told_once(shown, "secret")
