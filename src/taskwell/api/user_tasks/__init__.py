"""Two contracts of bare arrays with the user in the path: Better Auth's front ends, and the HTTP upgrade's."""

from fastapi import APIRouter

from taskwell.api.operation import LenientOperation
from taskwell.api.user_tasks import tasks
from taskwell.api.user_tasks.schemas import DeletedOut

_ONE, _DELETION = "/tasks/{task_id}", "Move a task to the trash"

router = APIRouter(prefix="/api/{user_id}", tags=["tasks"], route_class=LenientOperation)
router.include_router(tasks.router)
router.delete(_ONE, summary=_DELETION, response_model=DeletedOut, name="delete_task")(tasks.delete_task_with_answer)

v1_router = APIRouter(prefix="/api/v1/{user_id}", tags=["tasks"], route_class=LenientOperation)
v1_router.include_router(tasks.router)
v1_router.delete(_ONE, summary=_DELETION, status_code=204)(tasks.delete_task)
