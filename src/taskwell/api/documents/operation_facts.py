"""Reads from a route and its signature what an operation takes, for its OpenAPI document."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from taskwell.api.in_space import SpaceOperation
from taskwell.api.operation import Operation


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """One operation at one path."""

    path: str
    method: str
    operation: Operation

    @property
    def path_params(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def takes_body(self) -> bool:
        return self.operation.signature.body is not None

    @property
    def takes_document(self) -> bool:
        """Whether it takes JSON, or a body that it reads and describes itself."""
        return self.takes_body or "requestBody" in (self.operation.openapi_extra or {})

    @property
    def takes_content(self) -> bool:
        return self.takes_document or self.operation.signature.form is not None

    @property
    def takes_cursor(self) -> bool:
        return "cursor" in self.operation.signature.query[1].model_fields

    @property
    def takes_space(self) -> bool:
        return "space" in self.operation.signature.query[1].model_fields

    @property
    def may_be_read_only(self) -> bool:
        """Whether a reader of the space is refused."""
        operation = self.operation
        return isinstance(operation, SpaceOperation) and self.method != "GET" and not operation.is_for_readers

    @property
    def request_headers(self) -> list[str]:
        headers = ["Idempotency-Key"] if self.operation.takes_key else []
        headers += self.operation.signature.headers
        return [*headers, "If-None-Match"] if self.answers_unchanged else headers

    @property
    def answer_headers(self) -> list[str]:
        """The headers of a success."""
        return sorted([*self.operation.signature.gives, *(["Idempotency-Replayed"] * self.operation.takes_key)])

    @property
    def answers_unchanged(self) -> bool:
        return self.method == "GET" and "ETag" in self.operation.signature.gives


def facts_of(app: FastAPI) -> Iterator[OperationFacts]:
    """The facts of every operation of an app, in the order of the routes."""
    for route in iter_route_contexts(app.routes):
        operation = route.original_route
        if isinstance(operation, Operation) and route.path is not None and operation.include_in_schema:
            for method in sorted(operation.methods):
                yield OperationFacts(route.path, method, operation)
