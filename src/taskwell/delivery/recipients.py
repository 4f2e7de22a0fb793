"""Finds the recipient of a reminder."""

from sqlalchemy import bindparam, case, select

from taskwell.database import Lane, Query, UuidText
from taskwell.delivery.attempt import Recipient
from taskwell.delivery.tables import WebhookRow
from taskwell.users.tables import UserRow

_RECIPIENT: Query[Recipient] = Query(
    select(
        UserRow.name,
        case((UserRow.email_verified_at.is_not(None), UserRow.email)),
        UserRow.disabled_at.is_not(None),
        WebhookRow.url,
        WebhookRow.secret,
    )
    .outerjoin(WebhookRow, WebhookRow.user_id == UserRow.id)
    .where(UserRow.id == bindparam("user_id", type_=UuidText)),
    Recipient,
)


async def recipient(lane: Lane, user_id: str) -> Recipient | None:
    """The user as of now; None if the user is gone."""
    return await lane.row(_RECIPIENT, user_id=user_id)
