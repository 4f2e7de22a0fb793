"""Which e-mails are one."""

import pytest

from taskwell.users.user import email_key, is_email


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@münchen.de", "a@xn--mnchen-3ya.de"),
        ("a@MÜNCHEN.de", "a@XN--MNCHEN-3YA.DE"),
        ("a@mu\u0308nchen.de", "a@münchen.de"),
        ("a@münchen。de", "a@münchen.de"),
        ("Ada@Example.com", "ada@example.COM"),
        ("jose\u0301@example.com", "JOSÉ@example.com"),
    ],
)
def test_these_are_one_e_mail(one: str, other: str):
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize(("one", "other"), [("a@straße.de", "a@strasse.de"), ("a.b@example.com", "ab@example.com")])
def test_these_are_two(one: str, other: str):
    assert email_key(one) != email_key(other)


@pytest.mark.parametrize("text", ["", "nobody", "@", "a@-x.ü", "a@" + "ü" * 200, "\udc00@exämple.com", "x" * 10_000])
def test_what_is_no_e_mail_has_a_key_too(text: str):
    assert isinstance(email_key(text), str)


@pytest.mark.parametrize(
    ("local_part", "is_one"), [("x" * 64, True), ("x" * 65, False), ("ä" * 32, True), ("ä" * 33, False)]
)
def test_what_stands_before_the_at_has_64_octets_at_most(local_part: str, *, is_one: bool):
    assert is_email(f"{local_part}@example.com") is is_one
