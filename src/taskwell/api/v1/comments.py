"""v1: the comments on a task."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from taskwell.api.answers import Tagged
from taskwell.api.call import Call
from taskwell.api.conditional import IfMatch, etag
from taskwell.api.failures import raises
from taskwell.api.in_space import SpaceOperation
from taskwell.api.replies import FRESH, json_response
from taskwell.api.task_members import EXAMPLE_ID, EXAMPLE_USER
from taskwell.api.v1.schemas import StrictModel
from taskwell.errors import NotAuthor
from taskwell.tasks import comments
from taskwell.tasks.comments import MAX_TEXT, Comment
from taskwell.tasks.fields import visible, without_nul


class CommentBody(StrictModel):
    """What is said about the task."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "The oat one, please."}]})

    text: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MAX_TEXT),
        AfterValidator(without_nul),
        AfterValidator(visible),
    ]


class CommentOut(BaseModel):
    """A comment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "task_id": EXAMPLE_ID,
                    "author_id": EXAMPLE_USER,
                    "text": "The oat one, please.",
                    "revision": 43,
                    "created_at": "2026-11-21T08:00:00.123456Z",
                    "updated_at": "2026-11-21T08:00:00.123456Z",
                }
            ]
        }
    )

    id: str
    task_id: str
    author_id: str = Field(description="The user who wrote it, who may be gone.")
    text: str
    revision: int
    created_at: datetime
    updated_at: datetime


class CommentsOut(BaseModel):
    items: list[CommentOut]


router = APIRouter(prefix="/tasks/{task_id}/comments", tags=["comments"], route_class=SpaceOperation)


@router.get("", summary="List a task's comments, oldest first", response_model=CommentsOut)
async def list_comments(call: Call, task_id: str) -> Response:
    found = await comments.of_task(call.lane, call.user, call.space, task_id)
    return json_response({"items": [asdict(each) for each in found]}, headers=FRESH)


@router.post("", summary="Comment on a task", status_code=201, response_model=CommentOut)
async def add_comment(call: Call, task_id: str, body: CommentBody) -> Tagged:
    return _tagged(await comments.add(call.lane, call.user, call.space, task_id, body.text))


@router.patch("/{comment_id}", summary="Change your comment", response_model=CommentOut, responses=raises(NotAuthor))
async def change_comment(call: Call, task_id: str, comment_id: str, body: CommentBody, if_match: IfMatch) -> Tagged:
    changed = await comments.change(
        call.lane, call.user, call.space, task_id, comment_id, text=body.text, if_match=if_match
    )
    return _tagged(changed)


@router.delete("/{comment_id}", summary="Delete a comment", status_code=204, responses=raises(NotAuthor))
async def remove_comment(call: Call, task_id: str, comment_id: str, if_match: IfMatch) -> Response:
    await comments.remove(call.lane, call.user, call.space, task_id, comment_id, if_match=if_match)
    return Response(status_code=204)


def _tagged(shown: Comment) -> Tagged:
    return Tagged(partial(asdict, shown), etag(shown.revision))
