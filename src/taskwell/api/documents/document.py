"""Completing a contract's OpenAPI document."""

from collections import Counter
from functools import cache
from typing import Any

from fastapi import FastAPI

from taskwell.api.documents.about import ABOUT, LICENSE, SECURITY, SECURITY_SCHEMES, SERVERS, TAGS, VERSION
from taskwell.api.documents.answers import Answers
from taskwell.api.documents.conduct import Conduct, conducts
from taskwell.api.documents.examples import example_of, mend_examples
from taskwell.api.documents.parameters import add_parameters
from taskwell.api.problems import Renderer

Json = dict[str, Any]


def describe(app: FastAPI, name: str, render: Renderer) -> None:
    """Makes ``app.openapi()`` the complete document of a contract; it is built when it is first asked for.

    Args:
        render: How the contract writes errors; the document's errors are written by it.
    """
    about = ABOUT[name]
    app.title, app.summary, app.description = about.title, about.summary, about.text
    app.version, app.servers, app.license_info = VERSION, SERVERS, LICENSE

    @cache
    def openapi() -> Json:
        return _completed(FastAPI.openapi(app), list(conducts(app)), render, name)

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: Json, operations: list[Conduct], render: Renderer, name: str) -> Json:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    mend_examples(schemas)
    answers = Answers(name, render)
    ids = _operation_ids(operations)
    first_paths: dict[Any, str] = {}
    for conduct in operations:
        written = document["paths"][conduct.path][conduct.method.lower()]
        first = first_paths.setdefault((conduct.operation.endpoint, conduct.method), conduct.path)
        written["operationId"] = ids[conduct.path, conduct.method]
        written["tags"] = [_tag(tag, conduct.path, first) for tag in written.get("tags", ["other"])]
        if conduct.operation.needs_principal:
            written["security"] = SECURITY
        add_parameters(written, conduct)
        if conduct.method == "PATCH":
            _drop_defaults(written, schemas)
        answers.complete(written, conduct)
        _add_examples(written, schemas)
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    schemas |= answers.schemas
    components |= {"schemas": dict(sorted(schemas.items())), "responses": dict(sorted(answers.components.items()))}
    components["securitySchemes"] = SECURITY_SCHEMES
    document["tags"] = _tags(document)
    return document


def _drop_defaults(written: Json, schemas: Json) -> None:
    """What a PATCH leaves out stays as it is; the model's defaults stand for that and are nobody's values."""
    for content in written.get("requestBody", {}).get("content", {}).values():
        for schema in [content["schema"], *content["schema"].get("anyOf", [])]:
            for each in schemas.get(schema.get("$ref", "").rpartition("/")[2], {}).get("properties", {}).values():
                each.pop("default", None)


def _operation_ids(operations: list[Conduct]) -> dict[tuple[str, str], str]:
    """The endpoint's name; at its further addresses with the segments, or the method, that make them different."""
    homes: dict[str, str] = {}
    ids: dict[tuple[str, str], str] = {}
    for conduct in operations:
        name = conduct.operation.name
        rest = Counter(_segments(conduct.path)) - Counter(_segments(homes.setdefault(name, conduct.path)))
        name = "_".join([name, *rest.elements()])
        if name in ids.values():
            name = f"{name}_{conduct.method.lower()}"
        ids[conduct.path, conduct.method] = name
    return ids


def _segments(path: str) -> list[str]:
    return [part.strip("{}").replace("-", "_") for part in path.split("/") if part]


def _tag(tag: str, path: str, first: str) -> str:
    """Operations that are there again, with the user in the path, stand apart."""
    is_again = path != first and path.replace("/users/{user_id}", "").replace("/{user_id}", "") == first
    return f"{tag}, addressed by user" if is_again else tag


def _tags(document: Json) -> list[Json]:
    used = {tag for path in document["paths"].values() for each in path.values() for tag in each["tags"]}
    order = list(TAGS)
    known = sorted(used, key=lambda tag: (order.index(name) if (name := _base(tag)) in TAGS else len(order), tag))
    return [{"name": tag, "description": _about_tag(tag)} for tag in known]


def _base(tag: str) -> str:
    return tag.partition(",")[0]


def _about_tag(tag: str) -> str:
    text = TAGS.get(_base(tag), _base(tag).capitalize() + ".")
    return text if tag == _base(tag) else f"{text} The same operations, with the caller's id in the path."


def _add_examples(written: Json, schemas: Json) -> None:
    """Every JSON or form body gets an example where it has none."""
    bodies = [written.get("requestBody", {}), *written["responses"].values()]
    for content in (content for body in bodies for content in body.get("content", {}).values()):
        if "example" not in content and "examples" not in content and content.get("schema"):
            content["example"] = example_of(content["schema"], schemas)
