"""Sending a reminder by e-mail."""

from email.message import EmailMessage
from html import escape
from zoneinfo import ZoneInfo

from taskwell.delivery.attempt import Errand
from taskwell.mail import smtp
from taskwell.mail.attempts import Undelivered
from taskwell.mail.message import compose as compose_message
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
    await smtp.hand_over(compose(errand, errand.recipient.email, settings.mail_from), settings)


def compose(errand: Errand, email: str, sender: str) -> EmailMessage:
    title = on_one_line(errand.reminder.title)
    parts = [title, due_phrase(errand.reminder.timing), errand.reminder.description or ""]
    shown, due, description = (escape(part).replace("\n", "<br>\n") for part in parts)
    html = (
        f"<h1>{shown}</h1>" + (f"\n<p>{due}</p>" if due else "") + (f"\n<p>{description}</p>" if description else "")
    )
    return compose_message(
        sender=sender,
        name=errand.recipient.name,
        email=email,
        subject=f"Reminder: {title}",
        message_id=errand.reminder.delivery_id,
        plain="\n\n".join(filter(None, parts)) + "\n",
        html=html,
    )


def due_phrase(timing: Timing) -> str:
    if timing.due_date is not None:
        day = timing.due_date
        return f"Due on {day:%A}, {day.day} {day:%B %Y}."
    if timing.due_at is None:
        return ""
    local = timing.due_at.astimezone(ZoneInfo(timing.time_zone))
    return f"Due on {local:%A}, {local.day} {local:%B %Y} at {local:%H:%M} ({timing.time_zone})."
