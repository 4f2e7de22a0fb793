"""Sample data: deterministic, like what people write, and quick enough for a benchmark's database."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import bindparam, insert, update

from taskwell.database import Database, Query, UuidText, now
from taskwell.security.passwords import hash_password
from taskwell.tasks.queries import row_of
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.tasks.task import Priority, Task, TaskDraft
from taskwell.users.principal import Principal
from taskwell.users.tables import UserRow
from taskwell.users.user import email_key

PASSWORD = "taskwell sample 1"  # noqa: S105
"""One for all sample users: hashing is slow on purpose, and this is no secret."""

FIRST_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Ken", "Radia", "Tony")
ACTIONS = ("Buy", "Call", "Write to", "Clean", "Repair", "Book", "Plan", "Review", "Pay", "Send", "Water", "Return")
THINGS = (
    "milk", "the dentist", "the landlord", "the kitchen", "the bicycle", "a table for two", "the holiday",
    "the draft", "the rent", "the parcel", "the plants", "the library books", "the report", "Grandma", "the café",
)  # fmt: skip
NOTES = (
    None, None, None, "Before the weekend.", "Ask first whether it can wait.", "The number is on the fridge.",
    "Compare at least two offers, then decide.", "See the notes from last time; the second half still holds.",
)  # fmt: skip
LISTS = (("Home", "#2f9e44"), ("Work", "#1971c2"), ("Someday", None))
TAGS = ("home", "work", "errand", "phone", "urgent?", "5 minutes", "garden", "money")
HALF_A_YEAR = timedelta(days=180)
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class SampleUser:
    email: str
    password: str


def _insert_into(table: type[UserRow | ListRow | TaskRow], *columns: str) -> Query[None]:
    known = table.__table__.columns
    names = columns or tuple(known.keys())
    return Query(insert(table).values({name: bindparam(name, type_=known[name].type) for name in names}), _nothing)


def _nothing(*_: object) -> None:
    return None


_USER = _insert_into(
    UserRow, "id", "email", "email_key", "name", "password_hash", "time_zone", "created_at", "updated_at"
)
_LIST = _insert_into(ListRow)
_TASK = _insert_into(TaskRow)
_REVISION: Query[None] = Query(
    update(UserRow).where(UserRow.id == bindparam("user_id", type_=UuidText)).values(revision=bindparam("revision")),
    _nothing,
)


async def seed(
    database: Database, *, users: int, tasks_per_user: int, on_progress: Callable[[int], None]
) -> list[SampleUser]:
    """Adds sample users, each with lists and tasks; the same numbers give the same data.

    Args:
        database: Where to; its other users stay as they are.
        users: How many users.
        tasks_per_user: How many tasks each of them has.
        on_progress: Is told how many tasks were added since it was called last.

    Raises:
        UniqueViolated: the sample users are there already; nothing of the next user was added.
    """
    password_hash = await hash_password(PASSWORD)
    today = _noon()
    added = []
    for number in range(users):
        dice = random.Random(number)  # noqa: S311, sample data is no secret
        sample = _Sample(dice, number, today, tasks_per_user)
        async with database.transaction() as transaction:
            await transaction.many(_USER, [sample.user(password_hash)])
            await transaction.many(_LIST, sample.lists())
            for start in range(0, tasks_per_user, BATCH):
                count = min(BATCH, tasks_per_user - start)
                await transaction.many(_TASK, [sample.row(start + n) for n in range(count)])
                on_progress(count)
            await transaction.many(
                _REVISION, [{"user_id": sample.principal.user_id, "revision": tasks_per_user + len(LISTS)}]
            )
        added.append(SampleUser(sample.email, PASSWORD))
    await database.analyze()
    return added


def sample_email(number: int) -> str:
    return f"{FIRST_NAMES[number % len(FIRST_NAMES)].lower()}{number}@example.com"


def sample_tasks(number: int, count: int) -> list[Task]:
    """The tasks of one sample user, for a peer that keeps them elsewhere."""
    sample = _Sample(random.Random(number), number, _noon(), count)  # noqa: S311, sample data is no secret
    return [sample.task(position) for position in range(count)]


def _noon() -> datetime:
    return datetime.combine(now().date(), time(12), UTC)


class _Sample:
    """One sample user, whose life is decided by the dice."""

    def __init__(self, dice: random.Random, number: int, today: datetime, tasks: int) -> None:
        self._dice = dice
        self._today = today
        self._pause = HALF_A_YEAR / max(tasks, 1)
        self.name = FIRST_NAMES[number % len(FIRST_NAMES)]
        self.email = sample_email(number)
        self.principal = Principal(self._id(today), "", "", today, "UTC")
        self._list_ids = [self._id(today) for _ in LISTS]

    def user(self, password_hash: str) -> dict[str, object]:
        return {
            "id": self.principal.user_id,
            "email": self.email,
            "email_key": email_key(self.email),
            "name": self.name,
            "password_hash": password_hash,
            "time_zone": self.principal.time_zone,
            "created_at": self._today,
            "updated_at": self._today,
        }

    def lists(self) -> list[dict[str, object]]:
        return [
            {
                "user_id": self.principal.user_id,
                "id": list_id,
                "name": name,
                "color": color,
                "position": position,
                "revision": position,
                "created_at": self._today,
                "updated_at": self._today,
            }
            for position, (list_id, (name, color)) in enumerate(zip(self._list_ids, LISTS, strict=True), start=1)
        ]

    def row(self, number: int) -> dict[str, object]:
        task = self.task(number)
        return row_of(task, self.principal) | {"revision": task.revision}

    def task(self, number: int) -> Task:
        dice = self._dice
        # One after the other, as in life.
        created = self._today - HALF_A_YEAR + (number + dice.random()) * self._pause
        is_dated = dice.random() < 0.4
        draft = TaskDraft(
            title=f"{dice.choice(ACTIONS)} {dice.choice(THINGS)}",
            description=dice.choice(NOTES),
            priority=dice.choices(tuple(Priority), weights=(2, 5, 2, 1))[0],
            due_date=(created + timedelta(days=dice.randrange(200))).date() if is_dated else None,
            list_id=dice.choice([None, *self._list_ids]),
            tags=tuple(dice.sample(TAGS, dice.choice((0, 0, 0, 1, 1, 2)))),
        )
        task = Task.drafted(draft, task_id=self._id(created), now=created)
        if dice.random() < 0.5:
            done = min(self._today, created + timedelta(hours=dice.randrange(1, 400)))
            task = replace(task, completed_at=done, updated_at=done)
        return replace(task, revision=number + len(LISTS) + 1)

    def _id(self, instant: datetime) -> str:
        """A UUIDv7 of an instant, from the dice."""
        milliseconds = int(instant.timestamp() * 1000)
        bits = (milliseconds << 80) | (7 << 76) | (self._dice.getrandbits(12) << 64) | (2 << 62)
        text = f"{bits | self._dice.getrandbits(62):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
