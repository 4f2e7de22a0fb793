"""Makes an example of any schema, from the examples, defaults and formats in it."""

from typing import Any

_BY_FORMAT = {
    "date-time": "2026-11-21T08:00:00.123456Z",
    "date": "2026-12-24",
    "uuid": "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f",
    "email": "ada@example.com",
    "uri": "https://example.com/hook",
    "binary": "…",
}
_TEXTS = {
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…",
    "time_zone": "Europe/Berlin",
    "token_type": "bearer",
    "next_cursor": "WyI1ZjA3…",
    "username": "ada@example.com",
    "password": "engine 1843",
    "grant_type": "password",
    "id": _BY_FORMAT["uuid"],
    "message": "Done.",
    "status": "healthy",
    "version": "1.0.0",
    "timestamp": _BY_FORMAT["date-time"],
}
_NUMBERS = {"expires_in": 604800, "latency_ms": 0.21}


def example_of(schema: dict[str, Any], schemas: dict[str, Any], name: str = "") -> Any:
    """A value that the schema accepts.

    Args:
        schemas: The targets of ``$ref``, by name.
        name: The property that has this schema.
    """
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    given = schema.get("examples") or [schema[key] for key in ("example", "const", "default") if key in schema]
    if given:
        return given[0]
    if alternatives := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        shown = [each for each in alternatives if each.get("type") != "null"]
        return example_of(shown[0], schemas, name)
    return _by_type(schema, schemas, name)


def complete_examples(schemas: dict[str, Any]) -> None:
    """Completes given examples: adds nulls, which FastAPI leaves out, and the members of a subclass."""
    for schema in schemas.values():
        if "examples" in schema and "properties" in schema:
            schema["examples"] = [_complete(example, schema, schemas) for example in schema["examples"]]


def _complete(example: dict[str, Any], schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The example with every required property, in the order of the schema."""
    required = schema.get("required", [])
    return {
        name: example[name] if name in example else _missing(each, schemas, name)
        for name, each in schema["properties"].items()
        if name in example or name in required
    }


def _missing(schema: dict[str, Any], schemas: dict[str, Any], name: str) -> Any:
    is_nullable = {"type": "null"} in schema.get("anyOf", [])
    return None if is_nullable else example_of(schema, schemas, name)


def _by_type(schema: dict[str, Any], schemas: dict[str, Any], name: str) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {each: example_of(inner, schemas, each) for each, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"], schemas)] if schema.get("items") else []
    if kind in ("integer", "number"):
        return _NUMBERS.get(name, schema.get("minimum", 1))
    if kind == "boolean":
        return False
    return (_BY_FORMAT.get(schema.get("format", "")) or _TEXTS.get(name, "text")) if kind == "string" else None
