"""The wire shapes of v1's lists and tags."""

from datetime import datetime
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from taskwell.api.task_members import EXAMPLE_ID, EXAMPLE_USER
from taskwell.api.v1.schemas import SpaceId, StrictModel
from taskwell.tasks.fields import ListName, Tag
from taskwell.tasks.list_queries import MAX_POSITION
from taskwell.tasks.lists import ListChanges, TaskList

Color = Annotated[
    str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$"), Field(description="#rrggbb", examples=["#3366ff"])
]
Position = Annotated[StrictInt, Field(ge=0, le=MAX_POSITION)]


class ListBody(StrictModel):
    """A new list; without a position it comes last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Groceries", "color": "#3366ff"}]})

    name: ListName
    color: Color | None = None
    position: Position | None = None


class ListPatch(StrictModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"position": 0}]})

    name: ListName = ""
    color: Color | None = None
    position: Position = 0

    def changes(self) -> ListChanges:
        return cast(ListChanges, {name: getattr(self, name) for name in self.model_fields_set})


class RemoveListQuery(StrictModel):
    delete_tasks: bool = Field(default=False, description="Move its tasks to the trash instead of keeping them.")


class MoveListBody(StrictModel):
    """Where the list goes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"space_id": EXAMPLE_ID}]})

    space_id: SpaceId


class ShareBody(StrictModel):
    """The new space."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Family"}]})

    name: Annotated[ListName | None, Field(description="Of the space; the list's unless named.")] = None


class ListOut(BaseModel):
    """A list; ``open_tasks`` counts its tasks that are not completed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "space_id": EXAMPLE_USER,
                    "name": "Groceries",
                    "color": "#3366ff",
                    "position": 1,
                    "open_tasks": 3,
                    "revision": 42,
                    "created_at": "2026-11-21T08:00:00.123456Z",
                    "updated_at": "2026-11-21T08:00:00.123456Z",
                }
            ]
        }
    )

    id: str
    space_id: str
    name: str
    color: str | None
    position: int
    open_tasks: int
    revision: int
    created_at: datetime
    updated_at: datetime


class ListsOut(BaseModel):
    items: list[ListOut]


def list_json(shown: TaskList) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in ListOut.model_fields}


class TagBody(StrictModel):
    """The tag's new name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "errands"}]})

    name: Tag


class TagOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "errands", "tasks": 12, "open_tasks": 3}]})

    name: str
    tasks: int
    open_tasks: int


class TagsOut(BaseModel):
    items: list[TagOut]
