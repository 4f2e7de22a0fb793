"""A real SMTP server that keeps what it gets."""

import asyncio
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

from aiosmtpd.smtp import SMTP


class Mailbox:
    """What arrived, and for whom; ``refusal`` makes it refuse every recipient instead."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.contents: list[bytes] = []
        self.recipients: list[str] = []
        self.offers_utf8 = True
        self.refusal: str | None = None
        self.pause = 0.0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, enable_SMTPUTF8=self.offers_utf8), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        await asyncio.sleep(self.pause)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.contents.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def links(self) -> list[str]:
        """The links in what arrived, in its order."""
        texts = [body.get_content() for each in self.messages if (body := each.get_body(("plain",))) is not None]
        return [link for text in texts for link in re.findall(r"https?://\S+", text)]

    def of(self, title: str) -> list[EmailMessage]:
        return [each for each in self.messages if each["Subject"] == f"Reminder: {title}"]
