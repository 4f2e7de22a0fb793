"""What no client library would send, over a real connection to a real server."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.server import serving

ADA = {"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}
LIMIT = 1_048_576


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("wire")
    with serving(folder, f"sqlite:///{folder}/taskwell.db") as address:
        yield address


@pytest.fixture(scope="module")
def token(server: str) -> str:
    return str(httpx2.post(f"{server}/api/v1/auth/signup", json=ADA).json()["access_token"])


def send(server: str, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to these bytes: status, headers and body; the server may hang up before it has read all."""
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        reader = connection.makefile("rb")
        status = int(reader.readline().split()[1])
        headers = {}
        while (line := reader.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, reader.read(int(headers.get("content-length", "0")))


def post(token: str, *headers: str) -> bytes:
    lines = [
        "POST /api/v1/tasks HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def test_a_body_in_chunks_is_read(server: str, token: str):
    body = [chunk(b'{"tit'), chunk(b'le": "x"}'), b"0\r\n\r\n"]

    assert send(server, post(token, "Transfer-Encoding: chunked"), *body)[0] == 201


def test_a_body_in_chunks_beyond_the_limit_is_refused_before_its_end(server: str, token: str):
    body = [chunk(b" " * 65_536) for _ in range(LIMIT // 65_536 + 1)]

    status, headers, problem = send(server, post(token, "Transfer-Encoding: chunked"), *body)

    assert (status, json.loads(problem)["code"]) == (413, "body_too_large")
    assert headers["x-content-type-options"] == "nosniff"


def test_a_body_announced_beyond_the_limit_is_refused_at_once(server: str, token: str):
    assert send(server, post(token, f"Content-Length: {LIMIT + 1}"))[0] == 413


def test_a_body_shorter_than_announced_stores_nothing(server: str, token: str):
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
        connection.sendall(post(token, "Content-Length: 100") + b'{"title": "half"}')

    tasks = httpx2.get(f"{server}/api/v1/tasks", headers={"Authorization": f"Bearer {token}"}).json()
    assert "half" not in [task["title"] for task in tasks["items"]]


@pytest.mark.parametrize(
    "headers",
    [["Content-Length: -1"], ["Content-Length: x"], ["Content-Length: 5", "Content-Length: 6"], ["Bad Header: x"]],
)
def test_what_is_not_http_is_a_400(server: str, token: str, headers: list[str]):
    assert send(server, post(token, *headers), b'{"title": "x"}')[0] == 400


def test_a_trailer_signs_nobody_in_and_spoils_no_request(server: str, token: str):
    trailer = f"0\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    signed = post(token, "Transfer-Encoding: chunked")
    unsigned = signed.replace(f"Authorization: Bearer {token}\r\n".encode(), b"")

    statuses = [send(server, head + chunk(b'{"title": "x"}') + trailer)[0] for head in (unsigned, signed)]

    assert statuses == [401, 201]


def test_two_authorization_headers_are_refused(server: str, token: str):
    assert send(server, post(token, f"Authorization: Bearer {token}", "Content-Length: 0"))[0] == 401


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/v1/tasks/%2e%2e/health", 401),
        ("/../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/health?%ff=%ff", 200),
        ("http://elsewhere.example/health", 200),
        ("//health", 200),
        ("/" + "a" * 60_000, 404),
    ],
)
def test_a_strange_target_is_no_trouble(server: str, target: str, status: int):
    found, _, _ = send(server, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert found in (status, 404)


def test_head_has_no_body(server: str):
    status, headers, _ = send(server, b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert status == 200
    assert int(headers["content-length"]) > 0


def test_one_connection_carries_many_requests_also_after_a_refusal(server: str, token: str):
    with httpx2.Client(base_url=server, headers={"Authorization": f"Bearer {token}"}) as client:
        for _ in range(3):
            assert (
                client.post("/api/v1/tasks", content=b"{", headers={"Content-Type": "application/json"}).status_code
                == 400
            )
            assert client.get("/nowhere").status_code == 404
            assert client.get("/api/v1/tasks").status_code == 200
