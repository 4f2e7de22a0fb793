"""v1: signing up, in and out."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time

import httpx2
import pytest

from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from tests.conftest import running
from tests.support import hashing
from tests.support.people import PASSWORD, USER_FIELDS, Person, client

SIGN_UP = {"email": "grace@example.com", "password": "compiler 1952", "name": "Grace"}


async def sign_up(nobody: httpx2.AsyncClient, **fields: object) -> httpx2.Response:
    return await nobody.post("/api/v1/auth/signup", json=SIGN_UP | fields)


async def sign_in(nobody: httpx2.AsyncClient, email: str = "ada@example.com", password: str = PASSWORD):
    return await nobody.post("/api/v1/auth/login", json={"email": email, "password": password})


def assert_is_session(response: httpx2.Response, status: int) -> None:
    assert response.status_code == status
    session = response.json()
    assert set(session) == {"user", "access_token", "token_type", "expires_at"}
    assert set(session["user"]) == USER_FIELDS
    assert session["token_type"] == "bearer"
    assert session["expires_at"].endswith("Z")
    assert response.headers["cache-control"] == "no-store"
    remaining = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6.99) < remaining < timedelta(days=7.01)


async def test_signing_up_gives_a_user_and_a_token_that_works(app: Gateway, nobody: httpx2.AsyncClient):
    response = await sign_up(nobody, name="  Grace  ")

    assert_is_session(response, 201)
    session = response.json()
    assert (session["user"]["email"], session["user"]["name"]) == ("grace@example.com", "Grace")
    assert session["user"]["time_zone"] == "UTC"
    grace = client(app, {"Authorization": f"Bearer {session['access_token']}"})
    me = await grace.get("/api/v1/auth/me")
    assert (me.status_code, me.json()) == (200, session["user"])
    assert me.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("email", ["GRACE@example.com", "grace@EXAMPLE.com", " grace@example.com "])
async def test_an_e_mail_is_taken_however_it_is_written(nobody: httpx2.AsyncClient, email: str):
    await sign_up(nobody)

    response = await sign_up(nobody, email=email)

    assert (response.status_code, response.json()["code"]) == (409, "email_taken")


async def test_of_twenty_sign_ups_at_once_one_wins(nobody: httpx2.AsyncClient):
    spellings = ("grace@example.com", "Grace@example.com", "GRACE@EXAMPLE.COM", "gRaCe@Example.com")

    answers = await asyncio.gather(*(sign_up(nobody, email=email) for email in spellings * 5))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


@pytest.mark.parametrize(
    "password",
    [
        "abcdef1",
        "a1" + "b" * 127,
        "onlyletters",
        "1234567890",
        "grace@example.com1"[:-1].replace("g", "G"),
        "",
    ],
)
async def test_a_weak_password_is_refused_and_nothing_is_stored(nobody: httpx2.AsyncClient, password: str):
    response = await sign_up(nobody, password=password)

    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["location"], error["field"], error["type"]) == ("body", "password", "weak_password")
    assert (await sign_up(nobody)).status_code == 201


@pytest.mark.parametrize(
    ("email", "name", "password"),
    [
        ("grace1906@example.com", "Grace", "Grace1906@Example.com"),
        ("grace1906@example.com", "Grace", "GRACE1906"),
        ("grace@example.com", "Hopper 1906", "hopper 1906"),
    ],
)
async def test_the_e_mail_or_the_name_is_no_password(nobody: httpx2.AsyncClient, email, name, password):
    response = await sign_up(nobody, email=email, name=name, password=password)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "password")


@pytest.mark.parametrize(
    "password",
    ["a1bcdefg", "a1" + "b" * 126, "é1" * 4, "😀" * 126 + "a1", "a1" + "ж" * 126, "пароль 1", "\u00e91234567"],
)
async def test_a_password_is_counted_in_characters_and_never_cut(nobody: httpx2.AsyncClient, password: str):
    assert (await sign_up(nobody, password=password)).status_code == 201

    assert (await sign_in(nobody, "grace@example.com", password)).status_code == 200
    for wrong in (password[:-1], password + "x", password[:-1] + "?"):
        assert (await sign_in(nobody, "grace@example.com", wrong)).status_code == 401


@pytest.mark.parametrize(
    "name", ["", "G", " G ", "g" * 101, "Gra\x00ce", "Gra\nce", "\ud800grace", 5, None, ["Grace"]]
)
async def test_a_name_that_breaks_its_rule_is_told(nobody: httpx2.AsyncClient, name: object):
    response = await sign_up(nobody, name=name) if name != "\ud800grace" else await sign_up_raw(nobody)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "name")


async def sign_up_raw(nobody: httpx2.AsyncClient) -> httpx2.Response:
    body = rb'{"email": "grace@example.com", "password": "compiler 1952", "name": "\ud800grace"}'
    return await nobody.post("/api/v1/auth/signup", content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("name", ["Al", "g" * 100, "李小龍", "O'Neil; DROP TABLE users"])
async def test_a_name_may_be_anything_else(nobody: httpx2.AsyncClient, name: str):
    assert (await sign_up(nobody, name=name)).json()["user"]["name"] == name


@pytest.mark.parametrize(
    "email",
    ["", "grace", "grace@", "@example.com", "a b@example.com", "g@e\x00.com", f"{'g' * 250}@example.com", 5, None],
)
async def test_what_is_no_e_mail_is_told(nobody: httpx2.AsyncClient, email: object):
    response = await sign_up(nobody, email=email)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "email")


@pytest.mark.parametrize(
    "email", ["mum@nas.local", "grace@app.test", "ädä@exämple.com", "ada+tasks@sub.example.co.uk"]
)
async def test_an_e_mail_may_be_of_a_network_at_home_or_in_any_script(nobody: httpx2.AsyncClient, email: str):
    assert (await sign_up(nobody, email=email)).json()["user"]["email"] == email


@pytest.mark.parametrize("field", ["email", "password", "name"])
async def test_signing_up_needs_every_field(nobody: httpx2.AsyncClient, field: str):
    response = await nobody.post("/api/v1/auth/signup", json={k: v for k, v in SIGN_UP.items() if k != field})

    assert response.json()["errors"] == [
        {"location": "body", "field": field, "message": "This field is required.", "type": "missing"}
    ]


@pytest.mark.parametrize("field", ["id", "is_admin", "password_hash", "time_zone", "revision"])
async def test_signing_up_takes_no_other_field(nobody: httpx2.AsyncClient, field: str):
    response = await sign_up(nobody, **{field: "x"})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("email", [" ada@example.com ", "ada@example.com", "ADA@Example.com"])
async def test_signing_in_gives_a_session(nobody: httpx2.AsyncClient, ada: Person, email: str):
    response = await sign_in(nobody, email)

    assert_is_session(response, 200)
    assert response.json()["user"]["id"] == ada.id


@pytest.mark.parametrize(("contract", "status"), [("/api/v1", 422), ("/api", 400)])
async def test_half_a_character_in_a_password_or_an_e_mail_is_told(nobody: httpx2.AsyncClient, contract, status):
    halves = (
        ("signup", b'{"email": "ada@example.com", "password": "engine 18\\ud800", "name": "Ada"}', "password"),
        ("login", b'{"email": "ada@example.com", "password": "engine 18\\ud800"}', "password"),
        ("login", b'{"email": "\\udc00@example.com", "password": "engine 1843"}', "email"),
    )
    for path, body, field in halves:
        json = {"Content-Type": "application/json"}
        answer = await nobody.post(f"{contract}/auth/{path}", content=body, headers=json)

        assert answer.status_code == status
        (told,) = answer.json().get("errors") or answer.json()["details"]
        assert told["field"] == field


async def test_each_sign_in_gives_another_token(nobody: httpx2.AsyncClient, ada: Person):
    first, second = [(await sign_in(nobody)).json()["access_token"] for _ in range(2)]

    assert first != second


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong 1843"),
        ("nobody@example.com", PASSWORD),
        ("not an e-mail", PASSWORD),
        ("", ""),
        ("ada@example.com", PASSWORD.upper()),
        ("ada@example.com", f"{PASSWORD} "),
        ("ada@example.com", "x" * 10_000),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ],
)
async def test_wrong_credentials_are_refused_in_the_same_words(nobody, ada: Person, email: str, password: str):
    response = await sign_in(nobody, email, password)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    problem = response.json()
    assert (problem["code"], problem["detail"]) == ("invalid_credentials", "The e-mail or the password is wrong.")


async def test_an_unknown_e_mail_takes_as_long_as_a_wrong_password(nobody, ada: Person, monkeypatch):
    hashing.make_real(monkeypatch)
    assert (await sign_up(nobody)).status_code == 201
    seconds: dict[str, list[float]] = {"grace@example.com": [], "nobody@example.com": []}

    for _ in range(3):
        for email, taken in seconds.items():
            started = process_time()  # of all threads: what others do on the machine does not count
            await sign_in(nobody, email, "wrong 1843")
            taken.append(process_time() - started)

    known, unknown = map(min, seconds.values())
    assert 0.5 < known / unknown < 2


async def test_signing_in_does_not_stop_the_service(app: Gateway, nobody, ada: Person, monkeypatch):
    """Hashing runs beside the event loop: others are answered meanwhile."""
    hashing.make_real(monkeypatch)
    signing_up = asyncio.gather(*(sign_up(nobody, email=f"user{n}@example.com") for n in range(4)))
    waits = []
    while not signing_up.done():
        started = perf_counter()
        await nobody.get("/health")
        waits.append(perf_counter() - started)
        await asyncio.sleep(0.01)

    assert max(waits) < 0.2


async def test_a_signed_out_token_is_refused_and_others_are_not(app: Gateway, nobody, ada: Person):
    other = client(app, {"Authorization": f"Bearer {(await sign_in(nobody)).json()['access_token']}"})

    response = await ada.http.post("/api/v1/auth/logout")

    assert (response.status_code, set(response.json())) == (200, {"message"})
    refused = await ada.http.get("/api/v1/auth/me")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert (await ada.http.post("/api/v1/auth/logout")).status_code == 401
    assert (await other.get("/api/v1/auth/me")).status_code == 200


async def test_a_signed_out_token_is_refused_by_another_process_within_two_seconds(app: Gateway, ada: Person):
    async with running(create_app(app.settings)) as another:
        there = client(another, dict(ada.http.headers))
        assert (await there.get("/api/v1/auth/me")).status_code == 200
        await ada.http.post("/api/v1/auth/logout")

        await asyncio.sleep(2)

        assert (await there.get("/api/v1/auth/me")).status_code == 401


async def test_logging_out_twenty_times_at_once_is_logging_out(app: Gateway, ada: Person):
    answers = await asyncio.gather(*(ada.http.post("/api/v1/auth/logout") for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {200, 401}
    assert (await ada.http.get("/api/v1/auth/me")).status_code == 401


async def test_logging_out_twice_with_keys_is_no_error(app: Gateway, ada: Person):
    keyed = [ada.http.post("/api/v1/auth/logout", headers={"Idempotency-Key": f"k{n}"}) for n in range(8)]

    assert {answer.status_code for answer in await asyncio.gather(*keyed)} <= {200, 401}


@pytest.mark.parametrize("path", ["/api/v1/auth/signup", "/api/v1/auth/login", "/api/v1/auth/me"])
async def test_no_answer_holds_a_hash(nobody: httpx2.AsyncClient, ada: Person, path: str):
    answers = [await sign_up(nobody), await sign_in(nobody), await ada.http.get("/api/v1/auth/me")]

    assert all("$2b$" not in answer.text and "password" not in answer.text for answer in answers)
