"""The list of the passwords that are guessed first."""

from importlib.resources import files

import pytest

from taskwell.users.common_passwords import is_common
from taskwell.users.time_zones import is_time_zone


@pytest.mark.parametrize("password", ["password1", "Password123", "QWERTY123", "1q2w3e4r", "abcd1234", " iloveyou1 "])
def test_what_everybody_chooses_is_common(password: str):
    assert is_common(password)


@pytest.mark.parametrize("password", ["engine 1843", "correct horse 1", "", "# the passwords"])
def test_what_nobody_else_chooses_is_not(password: str):
    assert not is_common(password)


def test_the_list_holds_only_what_the_other_rules_let_through():
    lines = files("taskwell.users").joinpath("common-passwords.txt").read_text("utf-8").splitlines()
    entries = [line for line in lines if not line.startswith("# ")]

    assert len(entries) > 7000
    assert len(entries) == len(set(entries))
    for entry in entries:
        assert entry == entry.casefold().strip()
        assert len(entry) >= 8
        assert any(map(str.isalpha, entry))
        assert any(map(str.isdigit, entry))


def test_time_zones_are_those_of_iana():
    assert all(map(is_time_zone, ("UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+12")))
    assert not any(
        map(is_time_zone, ("", "paris", "europe/paris", "localtime", "../UTC", "Europe/Paris\x00", "posix/UTC"))
    )
