"""The user_tasks contract."""

from fastapi import APIRouter

router = APIRouter()
