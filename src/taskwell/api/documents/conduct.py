"""What an operation does, read off its code, so that no document can forget it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import isfunction
from types import CodeType
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from taskwell.api.operation import Operation


@dataclass(frozen=True, slots=True)
class Conduct:
    """One operation at one path.

    Attributes:
        calls: The names of the functions that it calls, and that those of ``taskwell.api`` call.
        texts: Every text in their code, such as the names of headers.
    """

    path: str
    method: str
    operation: Operation
    calls: frozenset[str]
    texts: frozenset[str]

    @property
    def path_params(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def takes_body(self) -> bool:
        return self.operation.signature.body is not None

    @property
    def takes_file(self) -> bool:
        """Whether it reads the body itself, which it then describes itself."""
        return "requestBody" in (self.operation.openapi_extra or {})

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
        return "if_match" in self.calls

    @property
    def takes_if_none_match(self) -> bool:
        return self.method == "GET" and "is_unchanged" in self.calls


def conducts(app: FastAPI) -> Iterator[Conduct]:
    """Every operation of an app, in the order in which they were added."""
    for route in iter_route_contexts(app.routes):
        operation = route.original_route
        if not isinstance(operation, Operation) or route.path is None or not operation.include_in_schema:
            continue
        for method in sorted(operation.methods or ()):
            yield Conduct(route.path, method, operation, *_reach(operation))


def _reach(operation: Operation) -> tuple[frozenset[str], frozenset[str]]:
    """What an operation's endpoint calls, and the step before it, and the texts in the code of all that."""
    found: dict[str, Callable[..., Any]] = {}
    texts: set[str] = set()
    waiting: list[Callable[..., Any]] = [operation.endpoint]
    if operation.signature.beforehand is not None:
        waiting.append(operation.signature.beforehand[1])
    while waiting:
        function = waiting.pop()
        names, written = _words(function.__code__)
        texts |= written
        called = {name: function.__globals__.get(name) for name in names}
        for name, each in called.items():
            if isfunction(each) and name not in found:
                found[name] = each
                if each.__module__.startswith("taskwell.api"):
                    waiting.append(each)
    return frozenset(found), frozenset(texts)


def _words(code: CodeType) -> tuple[set[str], set[str]]:
    """The names and the texts of a function's code, and of those inside it."""
    names, texts = set(code.co_names), set[str]()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner_names, inner_texts = _words(constant)
            names |= inner_names
            texts |= inner_texts
        texts |= {
            each for each in (constant if isinstance(constant, tuple) else (constant,)) if isinstance(each, str)
        }
    return names, texts
