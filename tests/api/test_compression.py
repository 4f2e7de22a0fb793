"""Content codings, and what they leave as it is: ETags, HEAD, streams, and everything that must not be told."""

import zlib
from typing import Any

import httpx2
import pytest
from backports import zstd

from taskwell.api.compression import ON_THE_LOOP
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.settings import Settings
from tests.conftest import running
from tests.support.people import Person, client

UNPACK = {
    "zstd": zstd.decompress,
    "gzip": lambda packed: zlib.decompress(packed, 31),
    None: bytes,
}
CODINGS = ["zstd", "gzip"]
TASKS = "/api/v1/tasks"
LONG = "Ask for the one in the blue carton. " * 40


async def ask(
    http: httpx2.AsyncClient, path: str, accepted: str = "identity", method: str = "GET", **headers: str
) -> tuple[httpx2.Response, bytes]:
    """The answer, and its body as it came over the wire."""
    request = http.build_request(method, path, headers={"Accept-Encoding": accepted} | headers)
    if not accepted:
        del request.headers["Accept-Encoding"]
    answer = await http.send(request, stream=True)
    return answer, b"".join([chunk async for chunk in answer.aiter_raw()])


def unpacked(answer: httpx2.Response, body: bytes) -> bytes:
    return UNPACK[answer.headers.get("content-encoding")](body)


@pytest.fixture
async def task(ada: Person) -> dict[str, Any]:
    """A task of more than 1 KiB."""
    made = await ada.http.post(TASKS, json={"title": "Buy milk", "description": LONG})
    return made.json()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("path", [TASKS, "/openapi.json", "/docs", "/assets/docs.css"])
async def test_a_long_answer_is_sent_in_the_coding_that_is_asked_for(ada: Person, task: Any, path: str, coding: str):
    plain, expected = await ask(ada.http, path)

    answer, body = await ask(ada.http, path, coding)

    assert answer.headers["content-encoding"] == coding
    assert int(answer.headers["content-length"]) == len(body) < len(expected)
    assert unpacked(answer, body) == expected
    for each in (plain, answer):
        assert "Accept-Encoding" in each.headers.get_list("vary")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("identity", None),
        ("deflate, compress", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("zstd;q=0.5, gzip;q=0.8, *;q=0.1", "gzip"),
        ("br", None),
        ("gzip;q=0.001, zstd;q=0", "gzip"),
        ("X-GZip", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0", None),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("gzip;q=2, zstd;q=nonsense, ;;, =", None),
        ("identity;q=0, " + "x" * 500 + ", gzip", "gzip"),
    ],
)
async def test_the_weights_decide(ada: Person, task: Any, accepted: str, coding: str | None):
    answer, body = await ask(ada.http, TASKS, accepted)

    assert answer.headers.get("content-encoding") == coding
    assert unpacked(answer, body) == (await ask(ada.http, TASKS))[1]
    assert "Accept-Encoding" in answer.headers.get_list("vary")


async def test_a_short_answer_stays_as_it_is(ada: Person):
    answer, body = await ask(ada.http, TASKS, "gzip")

    assert len(body) < 1024
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" not in answer.headers.get_list("vary")


@pytest.mark.parametrize("coding", CODINGS)
async def test_head_says_what_get_does(ada: Person, task: Any, coding: str):
    got, _ = await ask(ada.http, TASKS, coding)

    head, body = await ask(ada.http, TASKS, coding, method="HEAD")

    assert body == b""
    for name in ("content-encoding", "content-length", "etag", "vary"):
        assert head.headers.get_list(name) == got.headers.get_list(name)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("path", [TASKS, "/api/v1/lists", "/api/v1/tags", "/openapi.json", "/assets/docs.css"])
async def test_what_comes_in_several_codings_has_one_weak_etag(ada: Person, task: Any, path: str, coding: str):
    plain, _ = await ask(ada.http, path)
    packed, _ = await ask(ada.http, path, coding)

    assert plain.headers["etag"].startswith('W/"')
    assert packed.headers["etag"] == plain.headers["etag"]


async def test_the_etag_of_a_task_is_its_revision_whatever_the_client_takes(ada: Person, task: Any):
    answer, body = await ask(ada.http, f"{TASKS}/{task['id']}", ", ".join(CODINGS))

    assert len(body) > 1024
    assert "content-encoding" not in answer.headers
    assert answer.headers["etag"] == f'"{task["revision"]}"'


@pytest.mark.parametrize("path", [TASKS, "/openapi.json", "/api/v1/lists"])
async def test_what_is_unchanged_is_a_304_whether_the_tag_came_back_weak_or_strong(ada: Person, task: Any, path: str):
    tag = (await ask(ada.http, path, "gzip"))[0].headers["etag"]

    for accepted in ("", "gzip", "zstd, br"):
        for given in (tag, f'"0", {tag}', tag.removeprefix("W/"), "*"):
            answer, body = await ask(ada.http, path, accepted, **{"If-None-Match": given})
            assert (answer.status_code, body, answer.headers["etag"]) == (304, b"", tag)
            assert "Accept-Encoding" in answer.headers.get_list("vary")

    unknown, _ = await ask(ada.http, path, "gzip", **{"If-None-Match": f'{tag[:-1]}0"'})
    assert unknown.status_code == 200


async def test_what_may_be_kept_by_nobody_is_never_compressed(ada: Person, nobody: httpx2.AsyncClient):
    """Its length could tell of a secret in it to who chooses a part of it (BREACH)."""
    headers = {"Accept-Encoding": ", ".join(CODINGS)}
    many = {f"field_{number}": LONG for number in range(20)}
    refused = await ada.http.post(TASKS, json={"title": "Buy milk"} | many, headers=headers)
    counted = await nobody.get("/metrics", headers=headers)

    for answer in (refused, counted):
        assert len(answer.content) > 1024
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers


async def test_an_export_is_compressed_while_it_is_made(ada: Person):
    operations = [{"op": "create", "data": {"title": f"Task {number}", "description": LONG}} for number in range(250)]
    (await ada.http.post(f"{TASKS}/bulk", json={"operations": operations})).raise_for_status()

    for path in (f"{TASKS}/export?format=json", f"{TASKS}/export?format=ics", "/api/v1/users/me/export"):
        _, expected = await ask(ada.http, path)
        for coding in CODINGS:
            answer, body = await ask(ada.http, path, coding)

            assert answer.headers["content-encoding"] == coding
            assert "content-length" not in answer.headers
            assert len(body) < len(expected) / 5
            assert _lasting(unpacked(answer, body)) == _lasting(expected)


def _lasting(document: bytes) -> bytes:
    """Without the moment at which it was made."""
    return document.partition(b'"user"')[2] or document


async def test_a_body_that_a_thread_compresses_is_whole(ada: Person):
    operations = [{"op": "create", "data": {"title": f"Task {number}", "description": LONG}} for number in range(120)]
    (await ada.http.post(f"{TASKS}/bulk", json={"operations": operations})).raise_for_status()

    plain, (answer, body) = (
        (await ask(ada.http, f"{TASKS}?limit=200"))[1],
        await ask(ada.http, f"{TASKS}?limit=200", "zstd"),
    )

    assert len(plain) > ON_THE_LOOP
    assert unpacked(answer, body) == plain


async def test_a_replayed_answer_is_compressed_for_who_asks_now(ada: Person):
    body = {"operations": [{"op": "create", "data": {"title": f"Task {number}"}} for number in range(9)]}
    bulk, key = f"{TASKS}/bulk", {"Idempotency-Key": "nine"}
    first = await ada.http.post(bulk, json=body, headers=key | {"Accept-Encoding": "gzip"})
    for accepted, coding in (("identity", None), ("zstd", "zstd"), ("gzip", "gzip")):
        again = await ada.http.post(bulk, json=body, headers=key | {"Accept-Encoding": accepted})

        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers.get("content-encoding") == coding
        assert again.json() == first.json()


async def test_it_can_be_turned_off(app: Gateway, settings: Settings, ada: Person, task: Any):
    async with running(create_app(settings.model_copy(update={"compression": False}))) as plain:
        answer, body = await ask(client(plain, dict(ada.http.headers)), TASKS, "gzip")

    assert len(body) > 1024
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" not in answer.headers.get_list("vary")
