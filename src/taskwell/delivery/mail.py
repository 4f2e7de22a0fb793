"""Sending a reminder by e-mail."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Literal
from zoneinfo import ZoneInfo

import aiosmtplib
from email_validator import validate_email

from taskwell.database import now
from taskwell.delivery.attempt import Errand, Undelivered
from taskwell.settings import Settings
from taskwell.tasks.reminders import Timing
from taskwell.users.user import is_email

TIMEOUT_SECONDS = 10
IMPLICIT_TLS_PORT = 465

TlsMode = Literal["auto", "on", "starttls", "off"]
STARTS_TLS = {"auto": None, "on": False, "starttls": True, "off": False}
"""None: where the server offers it."""


async def send(errand: Errand, settings: Settings) -> None:
    """Hands the reminder to the SMTP server.

    Raises:
        Undelivered: no server is set, the user has no address, or the server does not take the message.
    """
    if settings.smtp_host is None:
        raise Undelivered("This server has no e-mail set up: its operator has to set SMTP_HOST.")
    if errand.recipient.email is None or not is_email(errand.recipient.email):
        raise Undelivered("The account has no e-mail address.", is_final=True)
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    tls = tls_mode(settings)
    try:
        await aiosmtplib.send(
            compose(errand, settings.mail_from),
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password,
            timeout=TIMEOUT_SECONDS,
            use_tls=tls == "on",
            start_tls=STARTS_TLS[tls],
        )
    except aiosmtplib.SMTPNotSupported as error:  # of what it offers, SMTPUTF8 alone is asked for
        raise Undelivered("The mail server takes only ASCII before the @ of an address.", is_final=True) from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code
        raise Undelivered(f"The mail server refused the address ({code}).", is_final=code >= 500) from error
    except aiosmtplib.SMTPResponseException as error:
        raise Undelivered(f"The mail server refused the message ({error.code}).") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Undelivered(f"The mail server cannot be used ({type(error).__name__}).") from error


def tls_mode(settings: Settings) -> TlsMode:
    """How the connection is made safe; a password never travels in the clear unless SMTP_TLS=off says so."""
    if settings.smtp_tls != "auto":
        return settings.smtp_tls
    if settings.smtp_port == IMPLICIT_TLS_PORT:
        return "on"
    return "starttls" if settings.smtp_password else "auto"


def compose(errand: Errand, sender: str) -> EmailMessage:
    """The message. What users wrote cannot break out of a header or of the HTML: both are escaped where they
    are put in, and the policy refuses line ends in headers besides.
    """
    name, address = parseaddr(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = _recipient(errand)
    message["Subject"] = f"Reminder: {on_one_line(errand.reminder.title)}"
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{errand.reminder.delivery_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notices, please
    parts = [
        on_one_line(errand.reminder.title),
        due_phrase(errand.reminder.timing),
        errand.reminder.description or "",
    ]
    message.set_content("\n\n".join(filter(None, parts)) + "\n")
    title, due, description = (escape(part).replace("\n", "<br>\n") for part in parts)
    html = (
        f"<h1>{title}</h1>" + (f"\n<p>{due}</p>" if due else "") + (f"\n<p>{description}</p>" if description else "")
    )
    message.add_alternative(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body>\n{html}\n</body></html>\n",
        subtype="html",
    )
    return message


def _recipient(errand: Errand) -> Address:
    """The address as every mail server knows it, its domain in ASCII (IDNA).

    What stands before the @ has no other form: where it is not ASCII, the server has to offer SMTPUTF8 (RFC 6531).
    """
    assert errand.recipient.email is not None
    address = validate_email(errand.recipient.email, check_deliverability=False, test_environment=True)
    return Address(on_one_line(errand.recipient.name), address.local_part, address.ascii_domain)


def on_one_line(text: str) -> str:
    """Without control characters, of which line ends are the ones that matter."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def due_phrase(timing: Timing) -> str:
    if timing.due_date is not None:
        day = timing.due_date
        return f"Due on {day:%A}, {day.day} {day:%B %Y}."
    if timing.due_at is None:
        return ""
    local = timing.due_at.astimezone(ZoneInfo(timing.time_zone))
    return f"Due on {local:%A}, {local.day} {local:%B %Y} at {local:%H:%M} ({timing.time_zone})."
