"""The operations of the OpenAPI documents, and bodies that fit their schemas."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from taskwell.app import create_contracts

METHODS = ("get", "post", "put", "patch", "delete")
MAX_ALTERNATIVES = 4
"""Beyond this many optional properties, they are tried one by one and all together, not in every combination."""


@dataclass(frozen=True)
class Described:
    """An operation as its document describes it."""

    contract: str
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    media_type: str
    document: dict[str, Any]
    is_signed_in: bool

    def __str__(self) -> str:
        return f"{self.contract} {self.method.upper()} {self.path}"

    def names(self, location: str) -> list[str]:
        return [each["name"] for each in self.parameters if each["in"] == location]

    def bodies(self, an_id: str) -> list[Any]:
        """Bodies of every form that the schema knows, with the id wherever one is taken."""
        if self.body is None:
            return [None]
        return list(_values(self.body, self.document, an_id, "", 0))


@cache
def operations() -> list[Described]:
    """Every operation of every document, also those that were added a minute ago."""
    return [
        _described(name, method, path, item, document)
        for name, contract in create_contracts().items()
        for document in (contract.app.openapi(),)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _described(name: str, method: str, path: str, item: dict[str, Any], document: dict[str, Any]) -> Described:
    operation = item[method]
    parameters = [
        _resolved(each, document) for each in [*item.get("parameters", []), *operation.get("parameters", [])]
    ]
    content = _resolved(operation.get("requestBody", {}), document).get("content", {})
    media_type, body = next(iter(content.items()), ("", None))
    schema = body and body["schema"]
    is_signed_in = bool(operation.get("security"))
    return Described(name, method, path, tuple(parameters), schema, media_type, document, is_signed_in)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _values(schema: Any, document: dict[str, Any], an_id: str, name: str, depth: int) -> Iterator[Any]:
    schema = _resolved(schema if isinstance(schema, dict) else {}, document)
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        for each in alternatives:
            yield from _values(each, document, an_id, name, depth)
    elif "const" in schema or "enum" in schema:
        yield from schema.get("enum") or [schema["const"]]
    elif name == "id" or name.endswith("_id"):
        yield an_id
    elif schema.get("type") == "array":
        for each in _values(schema.get("items"), document, an_id, name, depth):
            yield [each]
    elif "properties" in schema:
        yield from _objects(schema, document, an_id, depth)
    else:
        yield _plain(schema, an_id)


def _objects(schema: dict[str, Any], document: dict[str, Any], an_id: str, depth: int) -> Iterator[dict[str, Any]]:
    """Objects with the required properties and some of the others, in as many forms as their values have."""
    properties, required = schema["properties"], schema.get("required", [])
    optional = [name for name in properties if name not in required]
    forms = {name: list(_values(each, document, an_id, name, depth + 1)) for name, each in properties.items()}
    for chosen in _subsets(optional):
        names = [*required, *chosen]
        for number in range(max((len(forms[name]) for name in names), default=1)):
            yield {name: forms[name][number % len(forms[name])] for name in names}


def _subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    if len(names) <= MAX_ALTERNATIVES:
        for size in range(len(names) + 1):
            yield from combinations(names, size)
    else:
        yield from ((), *((name,) for name in names), tuple(names))


def _plain(schema: dict[str, Any], an_id: str) -> Any:
    kind = schema.get("type")
    if kind == "string":
        by_format = {
            "date": "2027-01-01",
            "date-time": "2027-01-01T00:00:00Z",
            "uuid": an_id,
            "email": "somebody@example.com",
            "uri": "https://example.com/",
        }
        return by_format.get(schema.get("format", ""), "Taken over 1")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "object":  # anything goes: what a task takes is what matters here
        return {"title": "Taken over", "list_id": an_id}
    return {"boolean": True, "null": None}.get(str(kind), an_id)
