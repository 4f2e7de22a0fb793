"""The product's own contract, under ``/api/v1``."""

from fastapi import APIRouter

from taskwell.api.v1 import auth, tasks

router = APIRouter()
router.include_router(auth.router, prefix="/api/v1")
for address in ("/api/v1", "/api/v1/users/{user_id}", "/api/v1/{user_id}"):
    router.include_router(tasks.router, prefix=address)
