"""Sample data: deterministic, like what people write, and quick enough for a benchmark's database."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from taskwell.database import Database, now
from taskwell.security.passwords import hash_password
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import lock_space
from taskwell.tasks import bulk, lists
from taskwell.tasks.task import Priority, Task, TaskDraft
from taskwell.users.principal import Principal
from taskwell.users.sign_in import open_account

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
            await open_account(
                transaction,
                email=sample.email,
                name=sample.name,
                password_hash=password_hash,
                user_id=sample.actor.user_id,
                at=today,
            )
            for list_id, (name, color) in zip(sample.list_ids, LISTS, strict=True):
                await lists.create(transaction, sample.actor, sample.space, name=name, color=color, list_id=list_id)
            locked = await lock_space(transaction, sample.space)
            for start in range(0, tasks_per_user, BATCH):
                count = min(BATCH, tasks_per_user - start)
                tasks = [sample.task(start + n) for n in range(count)]
                living = sum(task.living for task in tasks)
                await bulk.store(transaction, sample.actor, locked, created=tasks, living=living)
                on_progress(count)
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
        self.actor = Principal(self._id(today), "", "", today)
        self.space = SpaceAccess.personal(self.actor.user_id)
        self.list_ids = [self._id(today) for _ in LISTS]

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
            list_id=dice.choice([None, *self.list_ids]),
            tags=tuple(dice.sample(TAGS, dice.choice((0, 0, 0, 1, 1, 2)))),
        )
        task = Task.drafted(draft, task_id=self._id(created), now=created)
        if dice.random() < 0.5:
            done = min(self._today, created + timedelta(hours=dice.randrange(1, 400)))
            task = replace(task, completed_at=done, updated_at=done)
        return task

    def _id(self, instant: datetime) -> str:
        """A UUIDv7 of an instant, from the dice."""
        milliseconds = int(instant.timestamp() * 1000)
        bits = (milliseconds << 80) | (7 << 76) | (self._dice.getrandbits(12) << 64) | (2 << 62)
        text = f"{bits | self._dice.getrandbits(62):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
