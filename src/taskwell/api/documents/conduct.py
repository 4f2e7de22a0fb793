"""What an operation does, read off its code, so that no document can forget it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import isfunction
from types import CodeType
from typing import Any, cast

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from taskwell.api.operation import Operation


@dataclass(frozen=True, slots=True)
class Conduct:
    """One operation at one path.

    Attributes:
        mentions: Every name and text in its own code and in the functions of ``taskwell.api`` that it calls.
    """

    path: str
    method: str
    operation: Operation
    mentions: frozenset[str]

    @property
    def path_params(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def takes_body(self) -> bool:
        return self.operation.signature.body is not None

    @property
    def takes_form(self) -> bool:
        return self.operation.signature.form is not None

    @property
    def checks_values(self) -> bool:
        return self.takes_body or self.takes_form or bool(self._query.model_fields or self.operation.is_strict)

    @property
    def takes_cursor(self) -> bool:
        return "cursor" in self._query.model_fields

    @property
    def _query(self) -> type[BaseModel]:
        return self.operation.signature.query[1]

    @property
    def takes_idempotency_key(self) -> bool:
        return self.operation.needs_principal and self.method == "POST"

    @property
    def takes_if_match(self) -> bool:
        return "if_match" in self.mentions

    @property
    def takes_if_none_match(self) -> bool:
        return self.method == "GET" and "is_unchanged" in self.mentions


def conducts(app: FastAPI) -> Iterator[Conduct]:
    """Every operation of an app, in the order in which they were added."""
    for route in iter_route_contexts(app.routes):
        operation = route.original_route
        if not isinstance(operation, Operation) or route.path is None or not operation.include_in_schema:
            continue
        for method in sorted(operation.methods or ()):
            yield Conduct(route.path, method, operation, mentions(operation.endpoint))


def mentions(endpoint: Callable[..., Any]) -> frozenset[str]:
    found: set[str] = set()
    _collect(endpoint, found, set())
    return frozenset(found)


def _collect(function: Callable[..., Any], found: set[str], seen: set[Callable[..., Any]]) -> None:
    seen.add(function)
    words = set(_words(cast(CodeType, getattr(function, "__code__", None))))
    found |= words
    known = getattr(function, "__globals__", {})
    for word in words:
        called = known.get(word)
        if isfunction(called) and called not in seen and called.__module__.startswith("taskwell.api"):
            _collect(called, found, seen)


def _words(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from (each for each in constant if isinstance(each, str))
        elif isinstance(constant, CodeType):
            yield from _words(constant)
