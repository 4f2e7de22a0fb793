"""v1: reminders, the webhook's settings and the delivery log, from outside."""

import pytest
from sqlalchemy import select

from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.mail.tables import MailRow
from tests.support.people import Person, arrive, client

ME = "/api/v1/users/me"
MAILS: Query[tuple[str, str]] = Query(select(MailRow.kind, MailRow.email), lambda *columns: columns)
SOON = "2126-12-24T18:00:00Z"


async def a_task(person: Person, **values) -> str:
    answer = await person.http.post("/api/v1/tasks", json={"title": "Call"} | values)
    return str(answer.json()["id"])


@pytest.mark.parametrize("address", ["/api/v1", "/api/v1/users/{user_id}"])
async def test_reminders_are_set_listed_and_removed(ada: Person, address: str):
    task_id = await a_task(ada, due_at=SOON)
    path = f"{address.format(user_id=ada.id)}/tasks/{task_id}/reminders"

    absolute = await ada.http.post(path, json={"remind_at": "2126-12-24T18:30:00+01:00"})
    relative = await ada.http.post(path, json={"minutes_before_due": 30, "channel": "webhook"})

    assert (absolute.status_code, relative.status_code) == (201, 201)
    first, second = absolute.json(), relative.json()
    assert first == {"id": first["id"], "remind_at": "2126-12-24T17:30:00Z", "channel": "email", "sent_at": None}
    assert second == {"id": second["id"], "minutes_before_due": 30, "channel": "webhook", "sent_at": None}
    assert (await ada.http.get(path)).json() == {"items": [first, second]}
    assert (await ada.http.delete(f"{path}/{first['id']}")).status_code == 204
    assert (await ada.http.delete(f"{path}/{first['id']}")).status_code == 404
    assert (await ada.http.get(path)).json() == {"items": [second]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "remind_at"),
        ({"remind_at": SOON, "minutes_before_due": 5}, "remind_at"),
        ({"remind_at": None}, "remind_at"),
        ({"remind_at": "2126-12-24T18:00:00"}, "remind_at"),
        ({"remind_at": "2020-01-01T00:00:00Z"}, "remind_at"),
        ({"remind_at": 5}, "remind_at"),
        ({"minutes_before_due": -1}, "minutes_before_due"),
        ({"minutes_before_due": 1.5}, "minutes_before_due"),
        ({"minutes_before_due": True}, "minutes_before_due"),
        ({"minutes_before_due": 10**12}, "minutes_before_due"),
        ({"remind_at": SOON, "channel": "pigeon"}, "channel"),
        ({"remind_at": SOON, "sent_at": SOON}, "sent_at"),
    ],
)
async def test_a_reminder_that_breaks_a_rule_is_told_which(ada: Person, body: dict, field: str):
    task_id = await a_task(ada, due_at=SOON)

    answer = await ada.http.post(f"/api/v1/tasks/{task_id}/reminders", json=body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_minutes_before_a_due_that_is_not_there_are_refused(ada: Person):
    answer = await ada.http.post(f"/api/v1/tasks/{await a_task(ada)}/reminders", json={"minutes_before_due": 5})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "minutes_before_due"


async def test_the_twenty_first_reminder_of_a_task_is_refused(ada: Person):
    path = f"/api/v1/tasks/{await a_task(ada)}/reminders"
    statuses = [(await ada.http.post(path, json={"remind_at": SOON})).status_code for _ in range(21)]

    assert statuses == [201] * 20 + [422]


async def test_a_retried_reminder_is_set_once(ada: Person):
    path = f"/api/v1/tasks/{await a_task(ada)}/reminders"
    answers = [
        await ada.http.post(path, json={"remind_at": SOON}, headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert len((await ada.http.get(path)).json()["items"]) == 1


async def test_reminders_of_nobody_elses_or_a_thrown_away_task(ada: Person, eve: Person):
    task_id = await a_task(ada)
    path = f"/api/v1/tasks/{task_id}/reminders"
    made = (await ada.http.post(path, json={"remind_at": SOON})).json()

    assert (await eve.http.get(path)).status_code == 404
    assert (await eve.http.post(path, json={"remind_at": SOON})).status_code == 404
    assert (await eve.http.delete(f"{path}/{made['id']}")).status_code == 404
    assert (await ada.http.delete(f"{path}/not-an-id")).status_code == 404
    other = f"/api/v1/tasks/{await a_task(ada)}/reminders/{made['id']}"
    assert (await ada.http.delete(other)).status_code == 404
    await ada.http.delete(f"/api/v1/tasks/{task_id}")
    assert (await ada.http.get(path)).status_code == 404
    await ada.http.post(f"/api/v1/tasks/{task_id}/restore")
    assert (await ada.http.get(path)).json() == {"items": [made]}


async def test_the_webhooks_secret_is_shown_once(ada: Person):
    path = "/api/v1/users/me/webhook"
    assert (await ada.http.get(path)).status_code == 404

    first = (await ada.http.put(path, json={"url": "https://example.com/a"})).json()
    moved = (await ada.http.put(path, json={"url": "https://example.com/b"})).json()
    shown = (await ada.http.get(f"/api/v1/users/{ada.id}/webhook")).json()
    renewed = (await ada.http.post(f"{path}/secret")).json()

    assert first["secret"].startswith("whsec_")
    assert "secret" not in moved
    assert shown == moved
    assert shown["url"] == "https://example.com/b"
    assert renewed["secret"] not in ("", first["secret"])
    assert (await ada.http.delete(path)).status_code == 204
    assert (await ada.http.delete(path)).status_code == 404
    assert (await ada.http.post(f"{path}/secret")).status_code == 404


async def test_an_unconfirmed_user_sets_no_webhook(app: Gateway):
    bob = await arrive(app, "bob", is_confirmed=False)

    refused = await bob.http.put(f"{ME}/webhook", json={"url": "https://example.com/a"})

    assert (refused.status_code, refused.json()["code"]) == (409, "email_unverified")
    assert (await bob.http.get(f"{ME}/webhook")).status_code == 404


async def test_the_owner_is_told_by_mail_of_each_new_url_of_the_webhook(ada: Person, database: Database):
    for name in ("a", "a", "b"):
        await ada.http.put(f"{ME}/webhook", json={"url": f"https://example.com/{name}"})
    await ada.http.post(f"{ME}/webhook/secret")

    assert await database.rows(MAILS) == [("webhook_set", ada.email)] * 2


async def test_webhooks_are_everybodys_own(ada: Person, eve: Person, app: Gateway):
    await ada.http.put("/api/v1/users/me/webhook", json={"url": "https://example.com/a"})

    assert (await eve.http.get("/api/v1/users/me/webhook")).status_code == 404
    assert (await eve.http.get(f"/api/v1/users/{ada.id}/webhook")).status_code == 403
    assert (await client(app).get("/api/v1/users/me/deliveries")).status_code == 401
    assert (await eve.http.get("/api/v1/users/me/deliveries")).json() == {"items": []}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://ada:secret@example.com/",
        "http://example.com:99999/",
        "http://example.com/a b",
        "http://example.com/\r\nX: y",
        "http://[::1/",
        "http://localhost/",
        "http://127.0.0.1:8000/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fd00:ec2::254]/",
        "https://example.com/" + "a" * 2000,
    ],
)
async def test_a_url_that_nothing_should_be_sent_to_is_refused(ada: Person, url: str):
    answer = await ada.http.put("/api/v1/users/me/webhook", json={"url": url})

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "url"
