"""The contract of the older todo API: its own envelope, its own error shape, and 400 for values."""

from fastapi import APIRouter

from taskwell.api.todos import auth, todos

router = APIRouter()
router.include_router(auth.router)
router.include_router(todos.router, prefix="/api/users/{user_id}")
