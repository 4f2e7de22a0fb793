"""The words of mails: ours, and those that an operator puts in their place."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from taskwell.database import Database
from taskwell.doctor import examine
from taskwell.mail import templates
from taskwell.settings import InvalidSettings, Settings, read_settings
from tests.conftest import SECRET
from tests.support.command import taskwell
from tests.support.deliveries import send_mails
from tests.support.letters import follow, sign_up, token_of
from tests.support.smtp import Mailbox


def with_folder(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"mail_templates": folder})


@pytest.mark.parametrize("name", templates.SAMPLES)
def test_every_mail_says_the_same_as_text_and_as_a_page_that_can_be_dark_and_narrow(name: str):
    values = templates.SAMPLES[name]
    letter = templates.written(Settings(_env_file=None), name, **values)

    assert letter.subject
    assert not letter.plain.startswith("Subject")
    assert letter.html.startswith("<!doctype html>")
    assert "prefers-color-scheme: dark" in letter.html
    assert "width=device-width" in letter.html
    for link in (values.get("link"), values.get("unsubscribe")):
        assert link is None or (link in letter.plain and f'href="{link}"' in letter.html)


def test_a_value_is_never_a_template_and_never_markup():
    bad = {"title": "{{ 7 * 7 }} <b>", "due": "", "description": "a <img>\n{% raise %}", "unsubscribe": "https://x"}

    letter = templates.written(Settings(_env_file=None), "reminder", **bad)

    assert letter.subject == "Reminder: {{ 7 * 7 }} <b>"
    assert "a <img>\n{% raise %}" in letter.plain
    assert "a &lt;img&gt;<br>\n{% raise %}" in letter.html
    assert "<b>" not in letter.html


async def test_a_replaced_template_is_sent_and_the_others_stay_ours(
    nobody: httpx2.AsyncClient, database: Database, sending: Settings, mailbox: Mailbox, tmp_path: Path
):
    (tmp_path / "verify_email.txt").write_text("Subject: Bonjour à Ädä\n\nSuivez {{ link }}\n")
    await sign_up(nobody)

    await send_mails(database, with_folder(sending, tmp_path))

    (message,) = mailbox.messages
    assert message["Subject"] == "Bonjour à Ädä"
    html = message.get_body(("html",))
    assert html is not None
    assert "Confirm this e-mail" in html.get_content()
    assert (await follow(nobody, token_of(mailbox))).status_code == 204


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "a name that there is not": ("verify_email.txt", b"Subject: x\n\n{{ user.password }}", "'user' is undefined"),
    "a block that does not end": ("layout.html", b"{% if %}", "layout.html, line 1"),
    "no subject": ("reminder.txt", b"{{ title }}", "the first line of reminder.txt must begin with 'Subject: '"),
    "no text": ("locked_out.txt", b"\xff", "locked_out"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_template_is_told_at_the_start_and_by_the_doctor(sending: Settings, tmp_path: Path, case: str):
    name, content, told = BROKEN[case]
    (tmp_path / name).write_bytes(content)
    broken = with_folder(sending, tmp_path)

    with pytest.raises(InvalidSettings, match=r"^MAIL_TEMPLATES: ") as refused:
        templates.check(broken)

    assert told in str(refused.value)
    finding = {each.part: each async for each in examine(broken)}["mail"]
    assert (finding.state, told in finding.sentence) == ("bad", True)


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_neither_the_server_nor_the_worker_starts_with_a_broken_template(tmp_path: Path, command: str):
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "reminder.html").write_text("{{")

    outcome = await asyncio.to_thread(taskwell, tmp_path, command, MAIL_TEMPLATES=str(folder), SECRET_KEY=SECRET)

    assert outcome.code != 0
    assert "MAIL_TEMPLATES: reminder.html, line 1: " in outcome.complaint
    assert "Traceback" not in outcome.complaint


async def test_what_no_mail_is_made_of_is_noted(sending: Settings, tmp_path: Path):
    (tmp_path / "verify-email.txt").write_text("Subject: x\n")

    finding = {each.part: each async for each in examine(with_folder(sending, tmp_path))}["mail"]

    assert (finding.state, "verify-email.txt" in finding.sentence) == ("note", True)


def test_a_folder_that_is_not_there_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MAIL_TEMPLATES", str(tmp_path / "nowhere"))

    with pytest.raises(InvalidSettings, match=r"^MAIL_TEMPLATES: "):
        read_settings()
