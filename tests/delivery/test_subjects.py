"""Subjects and names, read by another parser than the one that wrote them."""

# ruff: noqa: RUF001  the letters that look alike are meant

import random

import fast_mail_parser
import pytest
from aiosmtplib.email import flatten_message

from taskwell import tasks
from taskwell.database import Database, now
from taskwell.mail.message import compose
from taskwell.settings import Settings
from taskwell.tasks import TaskDraft, reminders
from taskwell.users import profile
from tests.support.deliveries import deliver_due
from tests.support.people import Person
from tests.support.smtp import Mailbox

WORDS = {
    "German": "Überweisung für Frau Łukasiewicz prüfen Fußgängerübergänge größer Äpfel an der (bald) zu",
    "French": "Réunion\xa0: «\xa0élève\xa0» déjà où ça naïf cœur l’été 12\u202f000\xa0€ à la gare",
    "Russian": "Позвонить маме завтра купить хлеб встреча с врачом ёлка объезд не забыть паспорт",
    "Persian": "می\u200cخواهم علی\u200cرضا کتاب نامه\u200cها نان به دکتر زنگ بزن فردا خانه",
}
LONGEST_LINE = 76
"""RFC 2047 section 2: of a line with an encoded word."""


def written(subject: str, name: str, *, utf8: bool = False) -> bytes:
    message = compose(
        sender="Täskwell für Ädä <tasks@example.com>",
        name=name,
        email="ada@example.com",
        subject=subject,
        message_id="1",
        plain="",
        html="",
    )
    return flatten_message(message, utf8=utf8)


@pytest.mark.parametrize("language", WORDS)
def test_a_thousand_titles_of_each_script_and_names_arrive_as_they_were(language: str):
    chance = random.Random(language)
    words = WORDS[language].split(" ")
    for number in range(1000):
        title = " ".join(chance.choices(words, k=chance.randint(1, 25)))[:200].strip()
        name = " ".join(chance.choices(words, k=chance.randint(1, 9)))[:100].strip()

        raw = written(title, name, utf8=number % 2 == 0)

        mail = fast_mail_parser.parse_email(raw)
        assert mail.subject == title
        assert [(each.display_name, each.address) for each in mail.to] == [(name, "ada@example.com")]
        assert mail.from_ is not None
        assert mail.from_.display_name == "Täskwell für Ädä"
        head = raw.partition(b"\r\n\r\n")[0]
        assert max(len(line) for line in head.split(b"\r\n") if b"=?" in line) <= LONGEST_LINE


@pytest.mark.parametrize(
    "title",
    ["Buy milk", "two  blanks", "=?utf-8?q?not_encoded?=", 'quoted "words", and <brackets>', "x" * 200, "word " * 39],
)
def test_a_plain_title_arrives_as_it_was(title: str):
    mail = fast_mail_parser.parse_email(written(title, title[:90]))

    assert mail.subject == title.strip()
    assert mail.to[0].display_name == title[:90].strip()


async def test_a_reminder_brings_blanks_and_joiners_to_a_real_mail_server(
    database: Database, sending: Settings, ada: Person, mailbox: Mailbox
):
    await profile.change(database, ada.principal, {"name": "علی\u200cرضا"})
    title = "Überweisung für Frau Łukasiewicz prüfen, و نامه\u200cها"
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now())

    await deliver_due(database, sending)

    (content,) = mailbox.contents
    mail = fast_mail_parser.parse_email(content)
    assert mail.subject == f"Reminder: {title}"
    assert mail.to[0].display_name == "علی\u200cرضا"
    assert title in mail.text_plain[0]
