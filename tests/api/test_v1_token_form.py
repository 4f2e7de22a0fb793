"""v1: the OAuth2 password form (RFC 6749), which "Authorize" on the API page sends."""

from urllib.parse import urlencode

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from tests.support.people import PASSWORD, Person, client

FORM = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD}


async def send(nobody: httpx2.AsyncClient, **fields: str | None) -> httpx2.Response:
    form = {name: value for name, value in (FORM | fields).items() if value is not None}
    return await nobody.post("/api/v1/auth/token", data=form)


async def test_the_form_gives_a_token_that_works(app: Gateway, nobody: httpx2.AsyncClient, ada: Person):
    response = await send(nobody, client_id="docs", client_secret="", scope="")

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    token = response.json()
    assert set(token) == {"access_token", "token_type", "expires_in"}
    assert token["token_type"] == "bearer"
    assert 604_000 < token["expires_in"] <= 604_800
    signed_in = client(app, {"Authorization": f"Bearer {token['access_token']}"})
    assert (await signed_in.get("/api/v1/auth/me")).json()["id"] == ada.id


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"password": "wrong 1843"}, "invalid_grant"),
        ({"username": "nobody@example.com"}, "invalid_grant"),
        ({"username": "a\x00b"}, "invalid_grant"),
        ({"username": None}, "invalid_request"),
        ({"password": None}, "invalid_request"),
        ({"username": ""}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
    ],
)
async def test_what_is_wrong_is_told_as_rfc_6749_says(nobody, ada: Person, fields, error: str):
    response = await send(nobody, **fields)

    assert response.status_code == 400
    assert response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"error", "error_description"}
    assert response.json()["error"] == error


@pytest.mark.parametrize("body", [b"", b"&&&", b"=", b"\xff=\xff", b"username=%FF&password=%ED%A0%80"])
async def test_a_broken_form_is_refused(nobody: httpx2.AsyncClient, body: bytes):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    response = await nobody.post("/api/v1/auth/token", content=body, headers=headers)

    assert response.status_code == 400
    assert "error" in response.json()


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", None])
async def test_what_is_not_a_form_is_told(nobody: httpx2.AsyncClient, ada: Person, content_type: str | None):
    headers = {"Content-Type": content_type} if content_type else {}

    response = await nobody.post("/api/v1/auth/token", content=urlencode(FORM), headers=headers)

    assert response.status_code == 415


async def test_no_body_is_a_form_without_fields(nobody: httpx2.AsyncClient):
    response = await nobody.post("/api/v1/auth/token")

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
