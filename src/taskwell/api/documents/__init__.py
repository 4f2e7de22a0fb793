"""The OpenAPI documents: what FastAPI reads off the signatures, completed with what the operations do besides."""

from taskwell.api.documents.document import describe

__all__ = ["describe"]
