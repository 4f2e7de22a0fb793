"""The OpenAPI documents."""

from fastapi import FastAPI


def describe(app: FastAPI, name: str) -> None:
    """Makes the app's document complete."""
    app.title = f"Taskwell {name}"
