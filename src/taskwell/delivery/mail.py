"""Sending a reminder by e-mail."""

from email.message import EmailMessage
from zoneinfo import ZoneInfo

from taskwell.delivery import unsubscribing
from taskwell.delivery.attempt import Errand
from taskwell.mail import smtp, templates
from taskwell.mail.attempts import Undelivered
from taskwell.mail.message import compose_letter
from taskwell.settings import Settings
from taskwell.tasks.reminders import Timing
from taskwell.text import on_one_line
from taskwell.users.user import is_email


async def send(errand: Errand, settings: Settings) -> None:
    """Hands the reminder to the SMTP server.

    Raises:
        Undelivered: no server is set, the user has no confirmed address, or the server does not take the message.
    """
    if settings.smtp_host is None:
        raise Undelivered("This server has no e-mail set up: its operator has to set SMTP_HOST.")
    if errand.recipient.email is None or not is_email(errand.recipient.email):
        raise Undelivered("The account has no confirmed e-mail address.", is_final=True)
    await smtp.hand_over(compose(errand, errand.recipient.email, settings), settings)


def compose(errand: Errand, email: str, settings: Settings) -> EmailMessage:
    reminder = errand.reminder
    letter = templates.written(
        settings,
        "reminder",
        title=on_one_line(reminder.title),
        due=due_phrase(reminder.timing),
        description=reminder.description or "",
        unsubscribe=unsubscribing.link(settings, reminder.claim.user_id),
    )
    return compose_letter(
        letter,
        sender=settings.mail_from,
        name=errand.recipient.name,
        email=email,
        message_id=reminder.delivery_id,
    )


def due_phrase(timing: Timing) -> str:
    if timing.due_date is not None:
        day = timing.due_date
        return f"Due on {day:%A}, {day.day} {day:%B %Y}."
    if timing.due_at is None:
        return ""
    local = timing.due_at.astimezone(ZoneInfo(timing.time_zone))
    return f"Due on {local:%A}, {local.day} {local:%B %Y} at {local:%H:%M} ({timing.time_zone})."
