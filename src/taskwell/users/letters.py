"""What the mails of accounts say. They quote nothing of anybody's: whoever signs up may name any address."""

from taskwell.database import Database
from taskwell.mail.letter import Letter
from taskwell.mail.outbox import Mail
from taskwell.settings import Settings
from taskwell.spaces import invitations
from taskwell.users import confirmation, one_time_tokens
from taskwell.users.profile import BY_ID

_ISSUE = one_time_tokens.issuing(confirmation.WANTED)


async def write(database: Database, settings: Settings, mail: Mail) -> Letter | None:
    """The mail, with a token of this attempt's own; None where there is no more reason to send it."""
    match mail.kind:
        case confirmation.VERIFY_EMAIL:
            return await _verify_email(database, settings, mail)
        case confirmation.EMAIL_CHANGED:
            return _EMAIL_CHANGED
        case invitations.INVITATION:
            return await _invitation(database, settings, mail)
        case _:  # of a later version, which sends it itself
            return None


async def _verify_email(database: Database, settings: Settings, mail: Mail) -> Letter | None:
    assert mail.user_id is not None
    token = await one_time_tokens.issue(
        database, _ISSUE, confirmation.VERIFY_EMAIL, user_id=mail.user_id, email=mail.email
    )
    if token is None:
        return None
    link = f"{settings.link_base}/verify-email?token={token}"
    return Letter("Confirm your e-mail for Taskwell", _CONFIRMATION, link)


async def _invitation(database: Database, settings: Settings, mail: Mail) -> Letter | None:
    """It names the confirmed e-mail of whoever invites, and no other text of theirs."""
    host = await database.row(BY_ID, user_id=mail.user_id)
    if host is None or host.email is None or not host.email_verified:
        return None
    token = await invitations.token_to_mail(database, mail.id)
    if token is None:
        return None
    paragraphs = (
        f"{host.email} invites you to share tasks at Taskwell. To join, sign in and follow this link:",
        "It is for this e-mail address alone. If you do not want to join, do nothing.",
    )
    return Letter("You are invited to share tasks", paragraphs, invitations.link(settings, token))


_CONFIRMATION = (
    "Somebody gave this e-mail address for a Taskwell account. If it was you, confirm it here within 24 hours:",
    "If it was not you, do nothing: then no other mail comes to this address.",
)


_EMAIL_CHANGED = Letter(
    "The e-mail of your Taskwell account was changed",
    (
        "Your account at Taskwell has another e-mail address now, and this one does not sign in any more.",
        "If that was not you, tell whoever runs the server at once.",
    ),
)
