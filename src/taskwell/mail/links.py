"""The links in mails. They lead to the front end, or to pages of our own; none is made of a Host header."""

from taskwell.settings import Settings


def verify_email(settings: Settings, token: str) -> str:
    return f"{settings.frontend_url or _own_pages(settings)}/verify-email?token={token}"


def reset_password(settings: Settings, token: str) -> str:
    return f"{settings.frontend_url or _own_pages(settings)}/reset-password?token={token}"


def join(settings: Settings, token: str) -> str:
    return f"{settings.frontend_url or _own_pages(settings)}/join?token={token}"


def unsubscribe(settings: Settings, token: str) -> str:
    """Always a page of our own: mail programs post to it."""
    return f"{_own_pages(settings)}/unsubscribe?token={token}"


def own_url(settings: Settings) -> str:
    """The address at which people reach this server."""
    return settings.public_url or f"http://127.0.0.1:{settings.port}"


def _own_pages(settings: Settings) -> str:
    return f"{own_url(settings)}/account"
