"""Finding the operation for a path in as many steps as the path has segments, however many operations there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from taskwell.api.admission import Handler
from taskwell.api.operation import Operation
from taskwell.api.problems import Renderer

_DOTS = (".", "..")


@dataclass(frozen=True, slots=True)
class Contract:
    """One HTTP dialect.

    Attributes:
        app: Its operations and their OpenAPI document.
        render: How it writes errors.
        prefixes: The paths that are its own even where there is no operation, with ``*`` for any segment.
        deletes_with_slash: Whether a DELETE may end in a slash. Clients resolve an unchecked ``…/reminders/..`` to
            the address of the task with a slash behind it, and must not delete that.
        handlers: What it serves besides its operations, without a place in the document.
    """

    app: FastAPI
    render: Renderer
    prefixes: tuple[str, ...]
    deletes_with_slash: bool = True
    handlers: tuple[Handler, ...] = ()


@dataclass(slots=True)
class _Node:
    """A place in the tree of paths."""

    static: dict[str, "_Node"] = field(default_factory=dict)
    dynamic: "_Node | None" = None
    operations: dict[str, "Target"] = field(default_factory=dict)
    contract: Contract | None = None

    def child(self, segment: str) -> "_Node":
        if not segment.startswith("{") and segment != "*":
            return self.static.setdefault(segment, _Node())
        if self.dynamic is None:
            self.dynamic = _Node()
        return self.dynamic


@dataclass(frozen=True, slots=True)
class Target:
    """An operation or a handler at a path.

    Attributes:
        template: The path as it is declared, ``/api/v1/tasks/{task_id}``; for logs and metrics.
    """

    operation: Operation | Handler
    template: str
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What a path leads to.

    Attributes:
        contract: Whose error shape applies, also where there is no operation.
        operations: By method; empty where no operation has this path.
        segments: The path's segments, decoded.
    """

    contract: Contract
    operations: dict[str, Target]
    segments: list[str]

    def path_params(self, target: Target) -> dict[str, str]:
        return {name: segment for name, segment in zip(target.names, self.segments, strict=True) if name is not None}


class Switchboard:
    """All operations of all contracts by path.

    Segments are split before they are decoded, so an encoded slash belongs to its segment; a trailing slash
    makes no difference, and a path that ends in ``.`` or ``..`` leads nowhere. A static segment wins over a
    parameter, and one that a contract owns is that contract's alone: what it does not have under ``/api/users`` no
    other contract has there.
    """

    def __init__(self, contracts: Iterable[Contract], fallback: Contract) -> None:
        self._root = _Node(contract=fallback)
        for contract in contracts:
            for prefix in contract.prefixes:
                self._place(prefix).contract = contract
            for route in iter_route_contexts(contract.app.routes):
                operation = route.original_route
                if isinstance(operation, Operation) and route.path is not None:
                    self._add(operation, route.path)
            for handler in contract.handlers:
                self._add(handler, handler.path)

    def _add(self, operation: Operation | Handler, template: str) -> None:
        names = tuple(part[1:-1] if part.startswith("{") else None for part in _split(template))
        node = self._place(template)
        for method in operation.methods:
            node.operations[method] = Target(operation, template, names)

    def _place(self, template: str) -> _Node:
        node = self._root
        for segment in _split(template):
            node = node.child(segment)
        return node

    def find(self, method: str, raw_path: bytes) -> Match:
        segments = [unquote(segment) for segment in _split(raw_path.decode("latin-1"))]
        contract, node = self._walk(self._root, segments, 0)
        assert contract is not None
        is_slashed = method == "DELETE" and raw_path.endswith(b"/") and not contract.deletes_with_slash
        if node is None or is_slashed or (segments and segments[-1] in _DOTS):
            return Match(contract, {}, segments)
        return Match(contract, node.operations, segments)

    def _walk(self, node: _Node, segments: list[str], depth: int) -> tuple[Contract | None, _Node | None]:
        """The node at the path's end, and the contract that owns the longest part of the path."""
        if depth == len(segments):
            return node.contract, node
        owner: Contract | None = None
        segment = segments[depth]
        for child in (node.static.get(segment), node.dynamic if segment else None):
            if child is None:
                continue
            contract, end = self._walk(child, segments, depth + 1)
            owner = owner or contract
            if end is not None and end.operations:
                return contract or node.contract, end
            if child.contract is not None:
                break
        return owner or node.contract, None


def _split(path: str) -> list[str]:
    return path.strip("/").split("/") if path.strip("/") else []
