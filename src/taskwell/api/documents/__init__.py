"""The OpenAPI documents: FastAPI reads the signatures; this package adds headers, errors and examples."""

from taskwell.api.documents.document import describe

__all__ = ["describe"]
