"""Completes the OpenAPI document of a contract."""

from functools import cache
from typing import Any

from fastapi import FastAPI

from taskwell.api.documents.about import ABOUT, LICENSE, SECURITY, SECURITY_SCHEMES, SERVERS, TAGS, VERSION
from taskwell.api.documents.answers import Answers
from taskwell.api.documents.examples import complete_examples, example_of
from taskwell.api.documents.operation_facts import OperationFacts, facts_of
from taskwell.api.documents.operation_ids import operation_ids
from taskwell.api.documents.parameters import add_parameters
from taskwell.api.problems import Renderer

Json = dict[str, Any]


def describe(app: FastAPI, name: str, render: Renderer) -> None:
    """Makes ``app.openapi()`` give the complete document, which is built at its first use.

    Args:
        render: The contract's renderer of errors, also for the examples in the document.
    """
    about = ABOUT[name]
    app.title, app.summary, app.description = about.title, about.summary, about.text
    app.version, app.servers, app.license_info = VERSION, SERVERS, LICENSE

    @cache
    def openapi() -> Json:
        return _completed(FastAPI.openapi(app), list(facts_of(app)), render, name)

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: Json, operations: list[OperationFacts], render: Renderer, name: str) -> Json:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    complete_examples(schemas)
    for schema in schemas.values():
        if "description" in schema:  # it comes from a docstring
            schema["description"] = schema["description"].replace("``", "`")
    answers = Answers(name, render)
    ids = operation_ids(operations, document["paths"])
    for facts in operations:
        written = document["paths"][facts.path][facts.method.lower()]
        written["operationId"] = ids[facts.path, facts.method]
        if "description" in written:
            written["description"] = written["description"].replace("``", "`")
        written["security"] = SECURITY if facts.operation.needs_principal else []
        add_parameters(written, facts)
        _simplify_body(written, schemas)
        answers.complete(written, facts)
        _add_examples(written, schemas)
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    schemas |= answers.schemas
    components |= {"schemas": dict(sorted(schemas.items())), "responses": dict(sorted(answers.components.items()))}
    components["securitySchemes"] = SECURITY_SCHEMES
    document["tags"] = _tags(document)
    return document


def _simplify_body(written: Json, schemas: Json) -> None:
    """Marks an optional body only by ``required``, and removes the defaults of request members."""
    # Generators read a default as a member that a client must send.
    for content in written.get("requestBody", {}).get("content", {}).values():
        stated = [each for each in content["schema"].get("anyOf", []) if each != {"type": "null"}]
        if len(stated) == 1:
            content["schema"] = stated[0]
        _drop_defaults(content["schema"], schemas, seen=set())


def _drop_defaults(schema: Json, schemas: Json, seen: set[str]) -> None:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        _drop_defaults(schemas[name], schemas, seen)
    for each in schema.get("properties", {}).values():
        if (default := each.pop("default", None)) not in (None, "", []) and "description" not in each:
            each["description"] = f"By default {str(default).lower()}."
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("oneOf", [])]
    for each in [*parts, *([schema["items"]] if "items" in schema else [])]:
        _drop_defaults(each, schemas, seen)


def _tags(document: Json) -> list[Json]:
    used = {tag for path in document["paths"].values() for each in path.values() for tag in each["tags"]}
    return [{"name": tag, "description": text} for tag, text in TAGS.items() if tag in used]


def _add_examples(written: Json, schemas: Json) -> None:
    """Adds an example to every JSON or form body without one."""
    bodies = [written.get("requestBody", {}), *written["responses"].values()]
    for content in (content for body in bodies for content in body.get("content", {}).values()):
        if "example" not in content and "examples" not in content and content.get("schema"):
            content["example"] = example_of(content["schema"], schemas)
