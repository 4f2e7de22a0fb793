"""Sends a reminder to a user's URL, signed by Standard Webhooks 1.0."""

import ssl
from datetime import datetime
from functools import cache

import httpx2
import orjson
from standardwebhooks import Webhook

from taskwell import __version__
from taskwell.database import now
from taskwell.delivery.addresses import resolve
from taskwell.delivery.attempt import Errand
from taskwell.delivery.webhooks import broken_url_rule
from taskwell.mail.attempts import Undelivered
from taskwell.settings import Settings
from taskwell.tasks.task import Priority

TIMEOUT = httpx2.Timeout(10, connect=4)


@cache
def certificates() -> ssl.SSLContext:
    """The root certificates to check receivers with, read once."""
    # Reading takes 30 ms. For each delivery on the event loop, it delayed all others beyond their time limits.
    return httpx2.create_ssl_context(trust_env=False)


async def send(errand: Errand, settings: Settings) -> None:
    """Posts the reminder; a 2xx means success. Ignores the response's body, and follows no redirects.

    Raises:
        Undelivered: there is no URL, its address is not allowed, or no 2xx came in time.
    """
    if errand.recipient.webhook_url is None or errand.recipient.webhook_secret is None:
        raise Undelivered("No webhook is set; PUT one to /api/v1/users/me/webhook.")
    allow_private = settings.webhook_allow_private
    if broken := broken_url_rule(errand.recipient.webhook_url, allow_private=allow_private):
        raise Undelivered(f"The webhook's URL cannot be used. {broken}")
    body = payload(errand)
    headers = signed_headers(errand.reminder.delivery_id, now(), body, errand.recipient.webhook_secret)
    status = await _post(httpx2.URL(errand.recipient.webhook_url), body, headers, allow_private=allow_private)
    if status == httpx2.codes.GONE:
        raise Undelivered("The receiver answered 410: it wants no more of this.", is_final=True)
    if not 200 <= status < 300:
        raise Undelivered(f"The receiver answered {status}.")


async def _post(url: httpx2.URL, body: bytes, headers: dict[str, str], *, allow_private: bool) -> int:
    """Posts to the first address of the host that accepts a connection; gives the status.

    The Host header and TLS use the name, and the certificate is checked against it.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = await resolve(url.host, port, allow_private=allow_private)
    headers = headers | {"Host": url.netloc.decode("ascii")}
    client = httpx2.AsyncClient(verify=certificates(), timeout=TIMEOUT, trust_env=False, follow_redirects=False)
    async with client:
        for number, address in enumerate(addresses, start=1):
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers=headers,
                extensions={"sni_hostname": url.host},
            )
            try:
                response = await client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                if number == len(addresses):
                    why = "nobody answers there" + ", or not with a valid certificate" * (url.scheme == "https")
                    raise Undelivered(f"No connection to {url.host}: {why}.") from error
            except httpx2.TimeoutException as error:
                raise Undelivered(f"{url.host} did not answer in time.") from error
            except httpx2.HTTPError as error:
                raise Undelivered(f"{url.host} did not answer in HTTP.") from error
            else:
                await response.aclose()
                return response.status_code
    raise AssertionError("there is at least one address")


def payload(errand: Errand) -> bytes:
    """The event as JSON. Its ``timestamp`` is the reminder's moment, the same in every attempt."""
    content = {
        "type": "reminder.due",
        "timestamp": errand.reminder.timing.moment(),
        "data": {
            "reminder_id": errand.reminder.claim.reminder_id,
            "task": {
                "id": errand.reminder.task_id,
                "title": errand.reminder.title,
                "description": errand.reminder.description,
                "priority": Priority(errand.reminder.priority).name,
                "due_date": errand.reminder.timing.due_date,
                "due_at": errand.reminder.timing.due_at,
                "list_id": errand.reminder.list_id,
                "tags": errand.reminder.tags,
            },
        },
    }
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


def signed_headers(delivery_id: str, at: datetime, body: bytes, secret: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Taskwell/{__version__}",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery_id, at, body.decode()),
    }
