"""The floor under any framework: a bare ASGI function, the bare driver, and Taskwell's own SQL.

It answers the same bytes for the same requests, but judges nothing: no strict bodies, no ETags, no limits, no
request ids, no logs, no errors. What Taskwell adds to this is what its promises cost.
"""

import os
from dataclasses import replace
from urllib.parse import parse_qsl

import asyncpg
import jwt
import orjson

from taskwell.api.v1.schemas import AS_JSON, task_json
from taskwell.database import new_id, now
from taskwell.database.postgres import DIALECT as POSTGRES
from taskwell.database.sqlite import DIALECT as SQLITE
from taskwell.database.sqlite import connect
from taskwell.spaces import SpaceAccess
from taskwell.tasks import PageRequest, Priority, Task, TaskDraft, TaskFilter, queries
from taskwell.tasks.filters import Asker, conditions
from taskwell.tasks.one_statement import TOGGLE, one_statement_change
from taskwell.tasks.pages import PageShape, page_query
from taskwell.tasks.queries import row_of
from taskwell.tasks.stats import stats
from taskwell.tasks.visibility import writable
from taskwell.users.principal import Principal

URL = os.environ["DATABASE_URL"]
SECRET = os.environ["SECRET_KEY"]
PRIORITIES = {name: Priority[name] for name in Priority.__members__}
JSON = [(b"content-type", b"application/json")]
known: dict[bytes, Principal] = {}


class Postgres:
    dialect = POSTGRES

    async def open(self):
        self.pool = await asyncpg.create_pool(URL, min_size=15, max_size=15, reset=_no_reset)

    async def rows(self, query, **values):
        (step,) = query.steps(self.dialect)
        async with self.pool.acquire() as connection:
            return query.read(step, await connection.fetch(step.text, *step.arguments(values)))


async def _no_reset(_):
    pass


class Sqlite:
    dialect = SQLITE

    async def open(self):
        self.reader = connect(URL.removeprefix("sqlite:///"))
        self.writer = connect(URL.removeprefix("sqlite:///"))
        self.writer.execute("PRAGMA wal_autocheckpoint=1000")  # SQLite's default: there is no thread that does it

    async def rows(self, query, **values):
        *before, last = query.steps(self.dialect)
        if last.is_read:
            return query.read(last, self.reader.execute(last.text, last.arguments(values)).fetchall())
        self.writer.execute("BEGIN IMMEDIATE")
        for step in before:
            self.writer.execute(step.text, step.arguments(values))
        rows = query.read(last, self.writer.execute(last.text, last.arguments(values)).fetchall())
        self.writer.execute("INSERT INTO before_commit VALUES (NULL)")  # indexes the words of what was written
        self.writer.execute("COMMIT")
        return rows


database = Sqlite() if URL.startswith("sqlite") else Postgres()


def principal(headers) -> Principal:
    token = next(value for name, value in headers if name == b"authorization")
    found = known.get(token)
    if found is None:
        claims = jwt.decode(token[7:].decode(), SECRET, algorithms=["HS256"], audience="taskwell")
        found = known[token] = Principal(claims["sub"], claims["sub"], claims["jti"], now())
    return found


async def body_of(receive) -> dict:
    chunks = b""
    while True:
        message = await receive()
        chunks += message["body"]
        if not message.get("more_body"):
            return orjson.loads(chunks)


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await database.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    user = principal(scope["headers"])
    path, method = scope["path"], scope["method"]
    status = 200
    if method == "POST":
        status, content = 201, await create(user, await body_of(receive))
    elif method == "PATCH" and path.endswith("/complete"):
        content = await toggle(user, path.rsplit("/", 2)[1])
    elif method == "PATCH":
        content = await rename(user, path.rsplit("/", 1)[1], await body_of(receive))
    elif path == "/api/v1/tasks":
        content = await page(user, dict(parse_qsl(scope["query_string"].decode())))
    elif path == "/api/v1/tasks/stats":
        content = orjson.dumps(await stats(database, user, SpaceAccess.personal(user.user_id)))
    else:
        content = dumped(await one(user, path.rsplit("/", 1)[1]), user)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*JSON, (b"content-length", b"%d" % len(content))],
        }
    )
    await send({"type": "http.response.body", "body": content})


async def page(user: Principal, asked: dict[str, str]) -> bytes:
    request = PageRequest(TaskFilter(search=asked.get("q")), limit=int(asked["limit"]))
    found, values = conditions(request.wanted, Asker(user.user_id, now(), "UTC"))
    shape = PageShape(found, request.sort, request.limit, after=None, with_total=False, in_trash=False)
    (found,) = await database.rows(page_query(shape, AS_JSON), **who(user), subject=user.subject, **values)
    return b'{"items":[%b]}' % ",".join(found.items[: request.limit]).encode()


async def one(user: Principal, task_id: str) -> Task:
    (task,) = await database.rows(queries.ONE, **who(user), task_id=task_id)
    return task


async def rename(user: Principal, task_id: str, body: dict) -> bytes:
    change = one_statement_change({"title": body["title"]}, user, SpaceAccess.personal(user.user_id))
    (task,) = await database.rows(change.query(), **owner(user, task_id), **change.columns)
    return dumped(task, user)


async def toggle(user: Principal, task_id: str) -> bytes:
    (task,) = await database.rows(TOGGLE.query(), **owner(user, task_id))
    return dumped(task, user)


def owner(user: Principal, task_id: str) -> dict:
    return {**who(user), "task_id": task_id, "now": now()}


def who(user: Principal) -> dict:
    return writable(user, SpaceAccess.personal(user.user_id))


async def create(user: Principal, body: dict) -> bytes:
    draft = TaskDraft(body["title"], body.get("description"), PRIORITIES[body.get("priority", "medium")])
    task = Task.drafted(draft, task_id=new_id(), now=now())
    row = row_of(task, user, SpaceAccess.personal(user.user_id))
    (revision,) = await database.rows(queries.INSERT, **who(user), **row)
    return dumped(replace(task, revision=revision), user)


def dumped(task: Task, user: Principal) -> bytes:
    return orjson.dumps(task_json(task, user.subject), option=orjson.OPT_UTC_Z)
