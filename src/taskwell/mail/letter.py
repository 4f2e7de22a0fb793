"""What a mail says, before it is a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """Attributes:
    paragraphs: Our own sentences; nothing that a user wrote goes to an address that nobody has confirmed.
    link: What to follow, after the first paragraph.
    """

    subject: str
    paragraphs: tuple[str, ...]
    link: str | None = None

    @property
    def plain(self) -> str:
        first, *others = self.paragraphs
        return "\n\n".join(filter(None, (first, self.link, *others))) + "\n"
