"""Signing in by the names, the forms and the errors of the older front ends."""

import httpx2
import pytest

from tests.support.people import Person
from tests.support.todos import told

ADA = {"email": "ada@example.com", "password": "engine 1843"}


@pytest.fixture(params=["/api/auth", "/auth"])
def auth(request) -> str:
    return str(request.param)


@pytest.mark.parametrize(("up", "sign_in", "out"), [("signup", "login", "logout"), ("register", "signin", "signout")])
async def test_the_calls_have_two_names_and_the_token_too(nobody, auth: str, up: str, sign_in: str, out: str):
    made = await nobody.post(f"{auth}/{up}", json=ADA | {"name": "Ada"})
    assert made.status_code == 201
    entered = (await nobody.post(f"{auth}/{sign_in}", json=ADA)).json()
    assert entered["token"] == entered["access_token"]
    bearer = {"Authorization": f"Bearer {entered['token']}"}
    assert (await nobody.get(f"{auth}/me", headers=bearer)).json() == made.json()["user"]
    assert (await nobody.post(f"{auth}/{out}", headers=bearer)).status_code == 200
    assert (await nobody.get(f"{auth}/me", headers=bearer)).status_code == 401


async def test_refusals_have_the_shape_and_the_statuses_of_todos(nobody, ada: Person, auth: str):
    wrong = await nobody.post(f"{auth}/login", json=ADA | {"password": "wrong 1843"})
    weak = await nobody.post(f"{auth}/register", json={"email": "b@example.com", "password": "short", "name": "Ben"})
    taken = await nobody.post(f"{auth}/signup", json=ADA | {"name": "Ada"})
    nothing = await nobody.post(f"{auth}/signin", content=b"{")
    lacking = await nobody.post(f"{auth}/signin", json={"email": "ada@example.com"})
    unknown = await nobody.get(f"{auth}/nothing-here")

    answers = [wrong, weak, taken, nothing, lacking, unknown]
    assert [answer.status_code for answer in answers] == [401, 400, 409, 422, 422, 404]
    assert [told(answer) for answer in answers] == [[], ["password"], [], ["body"], ["password"], []]


@pytest.mark.parametrize(("email", "name"), [("grace@example.com", "grace"), ("g@example.com", "g@example.com")])
async def test_a_sign_up_without_a_name_is_named_by_its_email_below_auth_only(nobody, email: str, name: str):
    body = {"email": email, "password": "engine 1843"}

    assert told(await nobody.post("/api/auth/signup", json=body)) == ["name"]
    assert (await nobody.post("/auth/signup", json=body)).json()["user"]["name"] == name


FORM = {"username": "ada@example.com", "password": "engine 1843"}
MULTIPART = {name: (None, value) for name, value in FORM.items()}


@pytest.mark.parametrize("sent", [{"data": FORM}, {"files": MULTIPART}, {"json": ADA}])
async def test_a_form_signs_in_below_auth(nobody, ada: Person, sent: dict):
    entered = await nobody.post("/auth/login", **sent)
    granted = await nobody.post("/auth/token", **(sent if "json" not in sent else {"json": FORM}))

    assert entered.json()["user"]["id"] == ada.id
    assert set(granted.json()) == {"access_token", "token_type", "expires_in"}


async def test_a_form_that_cannot_be_read_is_told(nobody: httpx2.AsyncClient, ada: Person):
    kind = {"Content-Type": "multipart/form-data"}
    answers = [
        await nobody.post("/auth/login", content=b"x", headers=kind),
        await nobody.post(
            "/auth/login", content=b"--b\r\nx", headers={"Content-Type": kind["Content-Type"] + "; boundary=b"}
        ),
        await nobody.post("/auth/login", files={"username": ("a.txt", b"ada@example.com"), "password": (None, "x")}),
        await nobody.post("/auth/login", data={"username": "ada@example.com"}),
        await nobody.post("/auth/login", data={"username": "ada@example.com", "password": "wrong\x00"}),
        await nobody.post("/auth/token", data={"username": "ada@example.com", "password": "wrong"}),
        await nobody.post("/api/auth/login", data=FORM),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 401, 400, 422]
    assert answers[5].json()["error"] == "invalid_grant"
