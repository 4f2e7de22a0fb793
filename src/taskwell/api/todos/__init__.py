"""The todos contract."""

from fastapi import APIRouter

router = APIRouter()
