"""What the mails of accounts say. They quote nothing of anybody's: whoever signs up may name any address."""

from taskwell.database import Database
from taskwell.mail.letter import Letter
from taskwell.mail.outbox import Mail
from taskwell.settings import Settings
from taskwell.users import confirmation, links, one_time_tokens, providers

_ISSUE = one_time_tokens.issuing(confirmation.WANTED)


async def write(database: Database, settings: Settings, mail: Mail) -> Letter | None:
    """The mail, with a token of this attempt's own; None where there is no more reason to send it."""
    match mail.kind:
        case confirmation.VERIFY_EMAIL:
            return await _verify_email(database, settings, mail)
        case confirmation.EMAIL_CHANGED:
            return _EMAIL_CHANGED
        case providers.PROVIDER_OPENED:
            return _PROVIDER_OPENED
        case links.PROVIDER_LINKED:
            return _PROVIDER_LINKED
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


_PROVIDER_LINKED = Letter(
    "Your Taskwell account has another way in",
    (
        "Your account at Taskwell can now be signed in to through another service that was linked to it.",
        "If that was not you, change your password at once and unlink the service.",
    ),
)
_PROVIDER_OPENED = Letter(
    "Your Taskwell account was signed in to through another service",
    (
        "Somebody signed in to Taskwell through a service that says that this e-mail is theirs.",
        "The service is linked to your account now. The password and all tokens of the account do not work any more.",
        "If you want a password again, ask for a link to reset it. If that was not you, tell your operator.",
    ),
)
