"""The message as mail servers take it (RFC 5322)."""

from email.header import Header
from email.headerregistry import (
    Address,
    HeaderRegistry,
    UniqueSingleAddressHeader,
    UniqueUnstructuredHeader,
)
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr, quote
from typing import Any

from email_validator import validate_email

from taskwell.database import now
from taskwell.mail.letter import Letter
from taskwell.text import on_one_line

LINE = 75
"""RFC 2047 section 2: no line with an encoded word is longer."""


class _Subject(UniqueUnstructuredHeader):
    """Python's own folding loses the blank between two encoded words (RFC 2047 section 6.2)."""

    name: str

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        super().parse(value, kwds)
        kwds["decoded"] = value  # a title that looks like an encoded word is none

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {_encoded(str(self), self.name)}{policy.linesep}"


class _Mailbox(UniqueSingleAddressHeader):
    """The display name has the same trouble as the subject."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        name, address = self.address.display_name, f"<{self.address.addr_spec}>"
        if not name:
            return f"{self.name}: {address}{policy.linesep}"
        shown = f"{self.name}: " + (f'"{quote(name)}"' if _is_plain(name) else _encoded(name, self.name))
        is_long = len(shown.rpartition(policy.linesep)[2]) + len(address) >= LINE
        return f"{shown}{policy.linesep if is_long else ''} {address}{policy.linesep}"


def _encoded(text: str, name: str) -> str:
    """As encoded words, each of whole characters; plain ASCII as it is."""
    header = Header(text, "us-ascii" if _is_plain(text) else "utf-8", maxlinelen=LINE, header_name=name)
    return header.encode(linesep="\r\n")


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text and max(map(len, text.split()), default=0) < LINE // 2


_HEADERS = HeaderRegistry()
for _name, _kind in (("subject", _Subject), ("from", _Mailbox), ("to", _Mailbox)):
    _HEADERS.map_to_type(_name, _kind)  # type: ignore[arg-type]  # it adds the base class itself
_POLICY = SMTP.clone(header_factory=_HEADERS)


def compose(
    *,
    sender: str,
    email: str,
    subject: str,
    message_id: str,
    plain: str,
    html: str,
    name: str = "",
    unsubscribe: str | None = None,
) -> EmailMessage:
    """The message. The caller escapes what users wrote in ``html``; in a header it stays on one line.

    Args:
        message_id: The same in every attempt, so that a mail that comes twice is seen to be one.
        unsubscribe: The address at which a POST ends mails of this kind (RFC 8058).
    """
    sender_name, address = parseaddr(sender)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(sender_name, addr_spec=address)
    message["To"] = _recipient(name, email)
    message["Subject"] = on_one_line(subject)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{message_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notices, please
    if unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(plain)
    message.add_alternative(html, subtype="html")
    return message


def compose_letter(letter: Letter, *, sender: str, email: str, message_id: str, name: str = "") -> EmailMessage:
    return compose(
        sender=sender,
        email=email,
        subject=letter.subject,
        message_id=message_id,
        plain=letter.plain,
        html=letter.html,
        name=name,
        unsubscribe=letter.unsubscribe,
    )


def _recipient(name: str, email: str) -> Address:
    """The address as every mail server knows it, its domain in ASCII (IDNA).

    What stands before the @ has no other form: where it is not ASCII, the server has to offer SMTPUTF8 (RFC 6531).
    """
    address = validate_email(email, check_deliverability=False, test_environment=True)
    return Address(on_one_line(name), address.local_part, address.ascii_domain)
