"""The contract of Better Auth front ends: bare arrays, and the user in the path."""

from fastapi import APIRouter

from taskwell.api.user_tasks import tasks

router = APIRouter()
router.include_router(tasks.router, prefix="/api/{user_id}")
