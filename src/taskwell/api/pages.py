"""The pages for people."""

from collections.abc import Mapping

from fastapi import FastAPI

from taskwell.api.routing import Contract


def site(contracts: Mapping[str, Contract]) -> FastAPI:
    """The pages, as operations beside those of the contracts."""
    return FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
