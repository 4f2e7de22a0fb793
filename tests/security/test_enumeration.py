"""Nobody learns whose e-mail has an account: not by the words of an answer, and not by how long it takes."""

import random
import time
from statistics import median

import httpx2
import pytest

from taskwell.database import Database
from tests.support.people import Person

CALLS = 200
BODIES = {
    "/api/v1/auth/password/forgot": {},
    "/api/v1/auth/login": {"password": "wrong 12345"},
}


def spread(times: list[float]) -> float:
    """How far a call is from the middle one, usually."""
    middle = median(times)
    return median(abs(each - middle) for each in times)


@pytest.mark.parametrize("path", BODIES)
async def test_whether_there_is_an_account_shows_neither_in_words_nor_in_time(
    nobody: httpx2.AsyncClient, ada: Person, path: str
):
    times: dict[str, list[float]] = {ada.email: [], "bob@example.com": []}
    answers = set()
    for _ in range(10):
        await nobody.post(path, json={"email": "carol@example.com"} | BODIES[path])
    for email in random.Random(path).sample([*times] * CALLS, k=CALLS * 2):
        started = time.perf_counter()
        answer = await nobody.post(path, json={"email": email} | BODIES[path])
        times[email].append(time.perf_counter() - started)
        shown = {name: value for name, value in answer.json().items() if name != "request_id"}
        answers.add((answer.status_code, str(shown), tuple(sorted(answer.headers.keys()))))

    assert len(answers) == 1
    known, unknown = times.values()
    difference = abs(median(known) - median(unknown))
    assert difference < max(spread(known), spread(unknown)) / 2, (median(known), median(unknown))


async def test_a_sign_up_hashes_before_it_tells_that_an_e_mail_is_taken(
    nobody: httpx2.AsyncClient, ada: Person, database: Database
):
    """That an e-mail is taken is told by its words, and counted; a weak password is judged first."""
    body = {"email": ada.email, "name": "Mallory"}

    weak = await nobody.post("/api/v1/auth/signup", json=body | {"password": "engine"})
    taken = await nobody.post("/api/v1/auth/signup", json=body | {"password": "engine 1843"})

    assert [weak.status_code, taken.status_code] == [422, 409]
