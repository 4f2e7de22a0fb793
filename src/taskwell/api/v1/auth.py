"""v1: signing up, in and out, and the OAuth2 form behind "Authorize" on the API page."""

from fastapi import APIRouter

from taskwell.api import accounts
from taskwell.api.operation import Operation, PublicOperation

router = APIRouter()
router.include_router(accounts.router(Operation, PublicOperation))

form = APIRouter(prefix="/auth", tags=["auth"], route_class=PublicOperation)
form.post(
    "/token",
    summary="Sign in with a form (OAuth2)",
    response_model=accounts.TokenOut,
    responses={400: {"model": accounts.TokenRefusedOut, "description": "The e-mail or the password is wrong."}},
)(accounts.token)
router.include_router(form)
