"""The product's own contract, under ``/api/v1``."""

from fastapi import APIRouter

from taskwell.api.v1 import (
    activity,
    auth,
    bulk,
    comments,
    email,
    exchange,
    lists,
    password,
    providers,
    reminders,
    spaces,
    stats,
    tags,
    tasks,
    tokens,
    totp,
    users,
    webhooks,
)

router, by_user = APIRouter(), APIRouter()
"""The operations, and those of them again that have the user in their path: two documents name each call once."""

for account in (activity, auth, password, email, totp, tokens, providers, lists, tags, users):
    router.include_router(account.router, prefix="/api/v1")
for shared in (spaces.router, spaces.people, spaces.accepting):
    router.include_router(shared, prefix="/api/v1")
for about_tasks in (tasks, bulk, stats, reminders, comments, exchange):
    router.include_router(about_tasks.router, prefix="/api/v1")
    by_user.include_router(about_tasks.router, prefix="/api/v1/users/{user_id}")
by_user.include_router(users.by_user, prefix="/api/v1/users")
router.include_router(webhooks.router, prefix="/api/v1/users/me")
by_user.include_router(webhooks.router, prefix="/api/v1/users/{user_id}")
