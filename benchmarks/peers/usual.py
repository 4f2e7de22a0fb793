"""The usual build, as most tutorials write it: an ORM session and the user's row on every request, a model
instance for every row, and ``response_model`` validating each of them again. On the same tables.
"""

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, Field, computed_field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.tables import TaskRow

URL = os.environ["DATABASE_URL"]
SECRET = os.environ["SECRET_KEY"]
PRIORITIES = ("low", "medium", "high", "urgent")

engine = create_async_engine(
    URL.replace("postgresql://", "postgresql+asyncpg://").replace("sqlite://", "sqlite+aiosqlite://"), pool_size=15
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
bearer = OAuth2PasswordBearer("/login")
app = FastAPI()


class TaskIn(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    description: str | None = None
    priority: str = "medium"


class TaskChange(BaseModel):
    title: str | None = None
    completed: bool | None = None


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    user_id: str = Field(validation_alias="space_id")
    title: str
    description: str | None
    priority: int
    completed_at: datetime | None
    due_date: date | None
    due_at: datetime | None
    list_id: str | None
    tags: list[str]
    revision: int
    created_at: datetime
    updated_at: datetime

    @computed_field
    @property
    def completed(self) -> bool:
        return self.completed_at is not None


class Page(BaseModel):
    items: list[TaskOut]


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_user(session: Session, token: Annotated[str, Depends(bearer)]) -> SpaceRow:
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="taskwell")
    user = await session.get(SpaceRow, claims["sub"])
    if user is None:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[SpaceRow, Depends(get_user)]


async def get_task(session: Session, user: CurrentUser, task_id: str) -> TaskRow:
    task = await session.scalar(select(TaskRow).where(TaskRow.space_id == user.id, TaskRow.id == task_id))
    if task is None or task.deleted_at is not None:
        raise HTTPException(404)
    return task


Found = Annotated[TaskRow, Depends(get_task)]


@app.get("/api/v1/tasks")
async def list_tasks(session: Session, user: CurrentUser, limit: int = 50, q: str | None = None) -> Page:
    tasks = select(TaskRow).where(TaskRow.space_id == user.id, TaskRow.deleted_at.is_(None))
    if q:
        tasks = tasks.where(TaskRow.title.ilike(f"%{q}%"))
    found = await session.scalars(tasks.order_by(TaskRow.created_at.desc()).limit(limit))
    return Page(items=list(found))


@app.get("/api/v1/tasks/stats")
async def stats(session: Session, user: CurrentUser) -> dict[str, int]:
    mine = select(func.count()).where(TaskRow.space_id == user.id, TaskRow.deleted_at.is_(None))
    total = await session.scalar(mine)
    completed = await session.scalar(mine.where(TaskRow.completed_at.is_not(None)))
    return {"total": total or 0, "completed": completed or 0}


@app.get("/api/v1/tasks/{task_id}")
async def read_task(task: Found) -> TaskOut:
    return task


@app.post("/api/v1/tasks", status_code=201)
async def create_task(session: Session, user: CurrentUser, body: TaskIn) -> TaskOut:
    task = new_task(user, body)
    session.add(task)
    await session.commit()
    return task


@app.patch("/api/v1/tasks/{task_id}")
async def change_task(session: Session, task: Found, body: TaskChange) -> TaskOut:
    if body.title is not None:
        task.title = body.title
    if body.completed is not None:
        task.completed_at = datetime.now(UTC) if body.completed else None
    task.updated_at = datetime.now(UTC)
    task.revision += 1
    await session.commit()
    return task


@app.patch("/api/v1/tasks/{task_id}/complete")
async def toggle_task(session: Session, task: Found) -> TaskOut:
    return await change_task(session, task, TaskChange(completed=task.completed_at is None))


def new_task(user: SpaceRow, body: TaskIn) -> TaskRow:
    user.revision += 1
    at = datetime.now(UTC)
    return TaskRow(
        space_id=user.id, created_by=user.id, id=str(uuid.uuid4()), title=body.title, title_key=body.title.casefold(),
        description=body.description, priority=PRIORITIES.index(body.priority) + 1, tags=(), tag_keys=(),
        revision=user.revision, created_at=at, updated_at=at,
    )  # fmt: skip
