"""The contract of the older todo API: its own envelope, its own error shape, and 400 for values."""

from fastapi import APIRouter

from taskwell.api import accounts
from taskwell.api.operation import LenientOperation, LenientPublicOperation
from taskwell.api.todos import todos

router = APIRouter()
router.include_router(accounts.router(LenientOperation, LenientPublicOperation), prefix="/api")
router.include_router(todos.router, prefix="/api/users/{user_id}")
