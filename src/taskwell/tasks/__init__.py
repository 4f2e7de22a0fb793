"""The product: callers write ``tasks.create(lane, user, draft)``."""

from taskwell.tasks.filters import NO_LIST, TaskFilter, TaskSort
from taskwell.tasks.page_queries import AS_TASK
from taskwell.tasks.page_rows import Projection
from taskwell.tasks.pages import Page, PageRequest, page, version
from taskwell.tasks.service import change, create, delete, erase, get, restore, toggle
from taskwell.tasks.task import Priority, Task, TaskChanges, TaskDraft
from taskwell.tasks.time_zone import move_to_zone

__all__ = [
    "AS_TASK",
    "NO_LIST",
    "Page",
    "PageRequest",
    "Priority",
    "Projection",
    "Task",
    "TaskChanges",
    "TaskDraft",
    "TaskFilter",
    "TaskSort",
    "change",
    "create",
    "delete",
    "erase",
    "get",
    "move_to_zone",
    "page",
    "restore",
    "toggle",
    "version",
]
