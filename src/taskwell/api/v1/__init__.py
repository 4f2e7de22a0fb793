"""The product's own contract, under ``/api/v1``."""

from fastapi import APIRouter

from taskwell.api.v1 import (
    activity,
    auth,
    bulk,
    email,
    exchange,
    lists,
    reminders,
    stats,
    tags,
    tasks,
    users,
    webhooks,
)

router = APIRouter()
for account in (activity, auth, email, lists, tags, users, webhooks):
    router.include_router(account.router, prefix="/api/v1")
for address in ("/api/v1", "/api/v1/users/{user_id}"):
    for about_tasks in (tasks, bulk, stats, reminders, exchange):
        router.include_router(about_tasks.router, prefix=address)
