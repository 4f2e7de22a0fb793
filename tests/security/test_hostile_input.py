"""Hostile input: whatever is sent to whichever operation, the answer is one that the document describes, and no 5xx.

``make test`` tries a fixed number of generated requests for each operation, always the same ones, and fewer under an
operation's other addresses. ``make fuzz`` tries many more, other ones each time (``FUZZ_EXAMPLES``).
"""

import asyncio
import base64
import json
import os
from functools import cache
from typing import Any

import httpx2
import hypothesis
import pytest
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import strategies as st

from taskwell.api.gateway import Gateway
from taskwell.app import create_contracts
from tests.support.people import Person, arrive

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
IS_LONG = "FUZZ_EXAMPLES" in os.environ
BUDGET = hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=not IS_LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    print_blob=IS_LONG,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if IS_LONG else [])],
)


@cache
def checks() -> list[Any]:
    """Loaded where they are needed: every process that runs tests also reads this file."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    return [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]


def described(contract: str) -> Any:
    import schemathesis

    return schemathesis.openapi.from_dict(create_contracts()[contract].app.openapi())


@pytest.mark.parametrize("contract", list(create_contracts()))
async def test_every_answer_is_one_that_the_document_describes(app: Gateway, contract: str, capsys):
    failures: list[str] = []
    sent = 0
    for number, result in enumerate(described(contract).get_all_operations()):
        operation = result.ok()
        sender = Sender(
            await arrive(app, f"fuzzer{number}")
        )  # another one each time: some operations end the account
        outcome = await asyncio.to_thread(tried, operation, await belongings(sender.person), sender.send)
        sent += sender.sent
        failures += [f"{operation.label}: {outcome}"] if outcome else []

    with capsys.disabled():
        print(f"\nhostile input: {sent} requests to {contract}, {len(failures)} operations failed")  # noqa: T201
    assert not failures, "\n\n".join(failures)


class Sender:
    """Sends cases as one person, from the thread in which hypothesis runs, and looks at what comes back."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.sent = 0
        self._loop = asyncio.get_running_loop()

    def send(self, case: Any) -> None:
        self.sent += 1
        answer = asyncio.run_coroutine_threadsafe(answer_to(case, self.person), self._loop).result(60)
        case.validate_response(answer, checks=checks())


async def belongings(person: Person) -> dict[str, str]:
    """Ids that lead somewhere, by the name of the path parameter that takes them."""
    task = (await person.http.post("/api/v1/tasks", json={"title": "Fuzz", "due_date": "2027-01-01"})).json()["id"]
    a_list = (await person.http.post("/api/v1/lists", json={"name": "Fuzz"})).json()["id"]
    return {"user_id": person.id, "task_id": task, "todo_id": task, "list_id": a_list}


def tried(operation: Any, known: dict[str, str], send: Any) -> str | None:
    """What went wrong, as soon as something does."""
    from schemathesis.generation import GenerationMode

    names = {each.name for each in operation.path_parameters}
    real = {name: known[name] for name in names & known.keys()}
    fitting = operation.as_strategy(GenerationMode.POSITIVE, path_parameters=real)
    strategies = [fitting, operation.as_strategy(GenerationMode.POSITIVE)]
    if operation.body or operation.query or names:
        strategies.append(operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=real))
    budget = hypothesis.settings(BUDGET, max_examples=1) if is_twin(operation) and not IS_LONG else BUDGET
    for strategy in strategies:
        try:

            @budget
            @hypothesis.given(case=strategy)
            def each(case: Any) -> None:
                send(case)

            each()
        except hypothesis.errors.Unsatisfiable:
            continue
        except BaseException as error:  # noqa: BLE001  # schemathesis gathers its failures in an exception group
            return "".join(str(each) for each in getattr(error, "exceptions", [error]))
    return None


def is_twin(operation: Any) -> bool:
    """Whether it is an operation of v1 under its other addresses."""
    return bool(operation.path.startswith(("/api/v1/{user_id}/", "/api/v1/users/{user_id}/tasks")))


async def answer_to(case: Any, person: Person) -> httpx2.Response:
    """Sends a case as ``requests`` would, but in this process."""
    parts = {"method", "url", "headers", "params", "json", "data", "files", "cookies"}
    arguments = {name: value for name, value in case.as_transport_kwargs("http://test").items() if name in parts}
    prepared = requests.Request(**arguments).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    headers = [
        (name.encode(), value.encode("latin-1") if isinstance(value, str) else value)
        for name, value in prepared.headers.items()
        if name.lower() != "content-length"
    ]
    assert isinstance(prepared.method, str)
    assert isinstance(prepared.url, str)
    assert isinstance(body, bytes | None)
    return await person.http.request(prepared.method, prepared.url, headers=headers, content=body)


@pytest.mark.parametrize("sort", ["created_at", "updated_at", "due", "priority", "title"])
@pytest.mark.parametrize(
    "key",
    [None, 5, 2**70, "x", "\0", "2026-11-21T00:00:00+00:00", 1.5, [], {}, json.loads("[" * 500 + "]" * 500)],
    ids=lambda key: str(key)[:8],
)
async def test_a_cursor_that_we_did_not_make_is_refused(ada: Person, sort: str, key: object):
    for number in range(2):
        await ada.http.post("/api/v1/tasks", json={"title": f"Task {number}"})
    page = (await ada.http.get("/api/v1/tasks", params={"sort": sort, "limit": 1})).json()
    sealed = page["next_cursor"]
    assert (
        await ada.http.get("/api/v1/tasks", params={"sort": sort, "limit": 1, "cursor": sealed})
    ).status_code == 200
    place = json.dumps([key, 7]).encode()
    foreign = AESSIV(b"a key that is not the server's..")
    for forged in (place, b"0" * 16 + place, foreign.encrypt(place, [b"tasks"]), foreign.encrypt(place, None)):
        cursor = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
        answer = await ada.http.get("/api/v1/tasks", params={"sort": sort, "limit": 1, "cursor": cursor})
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_cursor"


NASTY = st.one_of(
    st.text(st.characters(), max_size=60),
    st.sampled_from(
        [
            "\0",
            "\ud800",
            "'; DROP TABLE tasks; --",
            "%00",
            "../../etc/passwd",
            "{{7*7}}",
            "\u202e",
            "a" * 7_000,
            "-1",
            "1e400",
            "NaN",
            "9" * 30,
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
        ]
    ),
)


async def test_nothing_in_a_path_a_query_or_a_header_makes_an_error_of_ours(app: Gateway, ada: Person):
    loop = asyncio.get_running_loop()
    names = ("limit", "cursor", "q", "tag", "list_id", "due_before", "sort", "offset", "status", "search", "priority")
    paths = (
        "/api/v1/tasks",
        "/api/v1/tasks/trash",
        f"/api/users/{ada.id}/todos",
        f"/api/{ada.id}/tasks",
        "/api/v1/tags",
    )
    headers = ("If-None-Match", "If-Match", "X-Request-ID", "Origin", "Accept", "Host", "Content-Length", "Range")

    @hypothesis.settings(BUDGET, max_examples=40 * EXAMPLES)
    @hypothesis.given(
        path=st.sampled_from(paths),
        name=st.sampled_from(names),
        value=NASTY,
        segment=NASTY,
        header=st.sampled_from(headers),
        content=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    )
    def send(path: str, name: str, value: str, segment: str, header: str, content: str) -> None:
        async def answers() -> list[httpx2.Response]:
            query = {name: value.encode("utf-8", "surrogatepass")}
            raw = "/".join(f"%{byte:02x}" for byte in segment.encode("utf-8", "surrogatepass")[:20])
            return [
                await ada.http.get(path, params=httpx2.QueryParams(query)),
                await ada.http.get(f"{path}/{raw}"),
                await ada.http.get(path, headers=[(header.encode(), content.encode("latin-1"))]),
            ]

        for answer in asyncio.run_coroutine_threadsafe(answers(), loop).result(60):
            assert answer.status_code < 500, (answer.request.url, answer.text)

    await asyncio.to_thread(send)
