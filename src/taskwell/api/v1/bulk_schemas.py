"""The wire shapes of v1's bulk."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictInt,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from taskwell.api.task_members import EXAMPLE_ID
from taskwell.api.v1.schemas import MoveBody, NewTask, StrictModel, TaskOut, TaskPatch
from taskwell.tasks.fields import Flag

MAX_OPERATIONS = 500

Verb = Literal["create", "update", "complete", "reopen", "delete", "restore", "move"]


class OperationBody(StrictModel):
    """One operation. ``data`` is looked at by itself, so that a wrong value fails this operation alone."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Shown as one shape for each verb, so that a client's compiler knows what belongs to which."""
        return handler(_SHOWN.core_schema)

    op: Verb
    id: str | None = Field(None, validate_default=True, description="The task; of every operation but create.")
    data: dict[str, Any] | None = Field(
        None, validate_default=True, description="What the single call takes, for create, update and move."
    )
    if_match: Annotated[StrictInt, Field(ge=0)] | None = Field(
        None, description="The task's revision as you read it; with another one the operation fails with 412."
    )

    @property
    def target(self) -> str | None:
        """The space that a move names, as it was sent."""
        named = (self.data or {}).get("space_id") if self.op == "move" else None
        return named if isinstance(named, str) else None

    @field_validator("id", "data", "if_match")
    @classmethod
    def _belongs_to_the_verb(cls, value: object, info: ValidationInfo) -> object:
        verb = info.data.get("op")
        needs = {"create": {"data"}, "update": {"id", "data"}, "move": {"id", "data"}}.get(str(verb), {"id"})
        may_have = needs if verb == "create" else needs | {"if_match"}
        if verb is not None and value is None and info.field_name in needs:
            raise PydanticCustomError("missing", "This field is required.")
        if verb is not None and value is not None and info.field_name not in may_have:
            raise PydanticCustomError("extra_forbidden", "There is no such field here.")
        return value


class CreateOperation(StrictModel):
    op: Literal["create"]
    data: NewTask


class _OnTask(StrictModel):
    id: str = Field(description="The task.")
    if_match: Annotated[StrictInt, Field(ge=0)] | None = Field(
        None, description="The task's revision as you read it; with another one the operation fails with 412."
    )


class UpdateOperation(_OnTask):
    op: Literal["update"]
    data: TaskPatch


class MoveOperation(_OnTask):
    op: Literal["move"]
    data: MoveBody


class StateOperation(_OnTask):
    op: Literal["complete", "reopen", "delete", "restore"]


_SHOWN = TypeAdapter[object](
    Annotated[CreateOperation | UpdateOperation | MoveOperation | StateOperation, Field(discriminator="op")]
)


class BulkBody(StrictModel):
    """Up to 500 operations, applied in their order as one write."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "operations": [
                        {"op": "create", "data": {"title": "Buy milk"}},
                        {"op": "update", "id": EXAMPLE_ID, "data": {"priority": "high"}, "if_match": 42},
                    ],
                    "atomic": True,
                }
            ]
        }
    )

    operations: Annotated[list[OperationBody], Field(min_length=1, max_length=MAX_OPERATIONS)]
    atomic: Flag = Field(default=True, description="All or nothing; else each operation for itself.")


class ResultOut(BaseModel):
    """What became of one operation."""

    index: int
    status: int = Field(description="That of the single call.")
    task: TaskOut | None = Field(None, description="Not after a deletion or a failure.")
    problem: dict[str, Any] | None = Field(None, description="RFC 9457 problem details of a failure.")


class BulkOut(BaseModel):
    results: list[ResultOut]
