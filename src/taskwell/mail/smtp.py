"""Handing a message to the SMTP server."""

from email.message import EmailMessage
from typing import Literal

import aiosmtplib

from taskwell.mail.attempts import Undelivered
from taskwell.settings import Settings

TIMEOUT_SECONDS = 10
IMPLICIT_TLS_PORT = 465

TlsMode = Literal["auto", "on", "starttls", "off"]
STARTS_TLS = {"auto": None, "on": False, "starttls": True, "off": False}
"""None: where the server offers it."""


async def hand_over(message: EmailMessage, settings: Settings) -> None:
    """Raises:
    Undelivered: no server is set, or it does not take the message.
    """
    if settings.smtp_host is None:
        raise Undelivered("This server has no e-mail set up: its operator has to set SMTP_HOST.")
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    tls = tls_mode(settings)
    try:
        await aiosmtplib.send(
            message,
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
