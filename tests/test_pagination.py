"""Cursors: only ours, and only for the list that they were made for."""

import base64
import string

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import example, given
from hypothesis import strategies as st

from taskwell import pagination
from taskwell.errors import InvalidCursor
from taskwell.pagination import decode_cursor, encode_cursor

KEYS = st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(string.printable)


@given(listing=NAMES, key=KEYS, row_id=NAMES | st.integers(1, 2**53))
def test_a_cursor_says_what_it_was_made_of(listing: str, key: pagination.Key, row_id: pagination.RowId):
    cursor = encode_cursor(listing, key, row_id)

    assert decode_cursor(listing, cursor) == (key, row_id)
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")


@given(one=NAMES, other=NAMES, key=KEYS)
def test_a_cursor_is_good_for_its_own_list_only(one: str, other: str, key: pagination.Key):
    if one != other:
        with pytest.raises(InvalidCursor):
            decode_cursor(other, encode_cursor(one, key, "x"))


@given(cursor=st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@example("=")
@example("\ud800")
@example(base64.urlsafe_b64encode(b'["\xc3\xa9", 1, "x"]').decode())
def test_whatever_else_is_sent_is_refused(cursor: str):
    with pytest.raises(InvalidCursor):
        decode_cursor("tasks", cursor)


@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.text("ab"), st.lists))
def test_any_json_is_refused(value: object):
    with pytest.raises(InvalidCursor):
        decode_cursor("tasks", base64.urlsafe_b64encode(orjson.dumps(value)).decode())


@given(key=KEYS, position=st.integers(0, 200), letter=st.sampled_from(string.ascii_letters))
def test_a_changed_cursor_says_the_same_or_is_refused(key: pagination.Key, position: int, letter: str):
    cursor = encode_cursor("tasks", key, "x")
    position %= len(cursor)
    changed = cursor[:position] + letter + cursor[position + 1 :]
    try:
        assert decode_cursor("tasks", changed) == (key, "x")
    except InvalidCursor:
        assert changed != cursor


@pytest.mark.parametrize("bit", range(0, 8 * 26, 7))
def test_every_bit_of_a_cursor_is_sealed(bit: int):
    sealed = bytearray(base64.urlsafe_b64decode(encode_cursor("tasks", 1, "018f") + "=="))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(InvalidCursor):
        decode_cursor("tasks", base64.urlsafe_b64encode(sealed).rstrip(b"=").decode())


def test_nobody_reads_in_a_cursor():
    sealed = base64.urlsafe_b64decode(encode_cursor("tasks", "a secret title", 123456) + "==")

    assert not any(word in sealed for word in (b"secret", b"123456"))


def test_the_same_page_has_the_same_cursor():
    assert encode_cursor("tasks", "b", 1) == encode_cursor("tasks", "b", 1) != encode_cursor("tasks", "b", 2)


@pytest.mark.parametrize("foreign", ["!!!!", "    ", "\n\n\n\n"])
def test_a_cursor_that_something_was_written_into_is_refused(foreign: str):
    cursor = encode_cursor("tasks", 1, "x")

    with pytest.raises(InvalidCursor):
        decode_cursor("tasks", cursor[:4] + foreign + cursor[4:])


def test_a_cursor_of_another_deployment_is_refused(monkeypatch: pytest.MonkeyPatch):
    cursor = encode_cursor("tasks", 1, "x")
    monkeypatch.setattr(pagination, "_SEAL", pagination._Seal(AESSIV(b"another".ljust(32))))

    with pytest.raises(InvalidCursor):
        decode_cursor("tasks", cursor)


def test_a_cursor_is_good_in_every_process_with_the_same_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pagination, "_SEAL", pagination._Seal(AESSIV(b"of the first process".ljust(32))))
    pagination.seal_with("one secret")
    cursor = encode_cursor("tasks", 1, "x")

    pagination._SEAL.cipher = AESSIV(b"of the second process".ljust(32))
    pagination.seal_with("one secret")
    assert decode_cursor("tasks", cursor) == (1, "x")

    pagination.seal_with("another secret")
    with pytest.raises(InvalidCursor):
        decode_cursor("tasks", cursor)
