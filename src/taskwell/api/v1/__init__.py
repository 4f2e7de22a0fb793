"""The product's own contract, under ``/api/v1``."""

from fastapi import APIRouter

from taskwell.api.v1 import auth, lists, tags, tasks

router = APIRouter()
for account in (auth, lists, tags):
    router.include_router(account.router, prefix="/api/v1")
for address in ("/api/v1", "/api/v1/users/{user_id}", "/api/v1/{user_id}"):
    router.include_router(tasks.router, prefix=address)
