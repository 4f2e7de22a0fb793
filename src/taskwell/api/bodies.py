"""Bytes from outside to validated models."""

import json
from functools import lru_cache
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ValidationError

from taskwell.api.problems import invalid
from taskwell.errors import Invalid, Location, MalformedBody, UnsupportedMediaType

Model = TypeVar("Model", bound=BaseModel)

MAX_KEPT_QUERY = 512
"""Longer query strings are parsed every time, so that what is kept stays small."""


def validated(model: type[Model], value: object, location: Location, *, is_strict: bool) -> Model:
    """The value as its model.

    Args:
        is_strict: Whether a field that the model does not know is an error, or is left out.

    Raises:
        Invalid: naming each field that breaks a rule.
    """
    try:
        return model.model_validate(value, extra="forbid" if is_strict else "ignore")
    except ValidationError as error:
        raise invalid(error, location) from None


def parse_json(raw: bytes, content_type: list[bytes]) -> Any:
    """The JSON value of a body.

    Raises:
        UnsupportedMediaType: the Content-Type is absent or not JSON.
        MalformedBody: it is not JSON (RFC 8259), or nested beyond reason.
    """
    if not content_type or not _is_json(content_type[0]):
        raise UnsupportedMediaType("Send the body as JSON, with 'Content-Type: application/json'.")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _parse_slowly(raw)


def _parse_slowly(raw: bytes) -> Any:
    """The standard library takes lone surrogates, which are JSON; then validation can name their field."""
    try:
        return json.loads(raw.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not valid JSON.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _is_json(content_type: bytes) -> bool:
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )


def parse_query(model: type[Model], query_string: bytes, *, is_strict: bool) -> Model:
    """The query as its model; front ends ask the same few questions again and again, so answers are kept.

    Raises:
        Invalid: naming each parameter that breaks a rule, or that was given twice where one is meant.
    """
    if len(query_string) <= MAX_KEPT_QUERY:
        return _parse_query(model, query_string, is_strict)  # type: ignore[return-value]
    return _parse_query.__wrapped__(model, query_string, is_strict)  # type: ignore[return-value]


@lru_cache(maxsize=4096)
def _parse_query(model: type[BaseModel], query_string: bytes, is_strict: bool) -> BaseModel:  # noqa: FBT001
    values: dict[str, Any] = {}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if name in fields and "list" in str(fields[name].annotation):
            values.setdefault(name, []).append(value)
        elif name in values and is_strict:
            raise Invalid.field(name, "It must be given once.", "repeated_parameter", location="query")
        else:
            values[name] = value
    return validated(model, values, "query", is_strict=is_strict)
