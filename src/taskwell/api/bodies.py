"""Bytes from outside to validated models."""

import json
from collections.abc import AsyncGenerator
from functools import lru_cache
from typing import Any, NoReturn, TypeVar, cast, get_origin
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from taskwell.api.problems import invalid
from taskwell.errors import Invalid, Location, MalformedBody, TooDeep, UnsupportedMediaType

Model = TypeVar("Model", bound=BaseModel)

MAX_DEPTH = 32
"""How many arrays and objects may stand inside each other; the deepest body that means anything has six."""

MAX_FIELDS = 100
"""Of one object, form or query; more are told as one error instead of one for each."""

URLENCODED, MULTIPART = b"application/x-www-form-urlencoded", b"multipart/form-data"

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


def parse_json(raw: bytes, content_type: list[bytes], *, is_strict: bool = True) -> Any:
    """The JSON value of a body.

    Args:
        is_strict: Whether the media type is judged first. To the older contracts a body that is not JSON is that,
            whatever it was said to be.

    Raises:
        UnsupportedMediaType: the Content-Type is absent or not JSON.
        MalformedBody: it is not JSON (RFC 8259).
        TooDeep: it is nested beyond reason.
        Invalid: an object has more fields than any that means something.
    """
    if not content_type or not _is_json(content_type[0]):
        if not is_strict:
            _parse_slowly(raw)
        raise UnsupportedMediaType("Send the body as JSON, with 'Content-Type: application/json'.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = _parse_slowly(raw)
    may_be_deep = raw.count(b"[") + raw.count(b"{") > MAX_DEPTH
    may_be_wide = is_strict and raw.count(b":") > MAX_FIELDS
    if may_be_deep or may_be_wide:
        _judge_shape(value, is_strict=is_strict)
    return value


def _judge_shape(value: Any, *, is_strict: bool) -> None:
    """Looks level by level, so that no depth costs more than the limit does."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        containers = [each for each in level if isinstance(each, dict | list)]
        if not containers:
            return
        if is_strict and any(isinstance(each, dict) and len(each) > MAX_FIELDS for each in containers):
            raise _too_many("body")
        level = [child for each in containers for child in (each.values() if isinstance(each, dict) else each)]
    raise TooDeep("The body is nested too deeply.")


def _too_many(location: Location) -> Invalid:
    return Invalid.field("", "It has more fields than there are here.", "too_many_fields", location=location)


def _parse_slowly(raw: bytes) -> Any:
    """The standard library takes lone surrogates, which are JSON; then validation can name their field."""
    try:
        return json.loads(raw.decode(), parse_constant=_refuse, parse_int=_number)
    except RecursionError:
        raise TooDeep("The body is nested too deeply.") from None
    except ValueError:
        raise MalformedBody("The body is not valid JSON.") from None


def _number(digits: str) -> int | float:
    """Python refuses to read integers of thousands of digits, as no service here needs them: they are infinite."""
    return int(digits) if len(digits) < 1000 else float(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _is_json(content_type: bytes) -> bool:
    media_type = _media_type(content_type)
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )


def _media_type(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()


def parse_query(model: type[Model], query_string: bytes, *, is_strict: bool) -> Model:
    """The query as its model; front ends ask the same few questions again and again, so answers are kept.

    Raises:
        Invalid: naming each parameter that breaks a rule, or that was given twice where one is meant.
    """
    parse = _remembered if len(query_string) <= MAX_KEPT_QUERY else _parsed
    return cast(Model, parse(model, query_string, is_strict=is_strict))


def _parsed(model: type[BaseModel], query_string: bytes, *, is_strict: bool) -> BaseModel:
    values: dict[str, Any] = {}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    # A form that asks for nothing sends its fields empty; a strict contract wants to be told.
    for name, value in _pairs(query_string, "query", keep_blank_values=is_strict, errors="surrogateescape"):
        if "\x00" in value:
            raise Invalid.field(name, "It must not hold NUL characters.", "nul_character", location="query")
        if name in fields and get_origin(fields[name].annotation) is list:
            values.setdefault(name, []).append(value)
        elif name in values and name in fields and is_strict:
            raise Invalid.field(name, "It must be given once.", "repeated_parameter", location="query")
        else:
            values[name] = value
    return validated(model, values, "query", is_strict=is_strict)


_remembered = lru_cache(maxsize=4096)(_parsed)


def parse_form(model: type[Model], raw: bytes, content_type: list[bytes]) -> Model:
    """The fields of a form; one that the model does not know is left out, and no body is a form without fields.

    Raises:
        UnsupportedMediaType: it is not a form as RFC 6749 wants it.
    """
    if raw and (not content_type or _media_type(content_type[0]) != URLENCODED):
        raise UnsupportedMediaType("Send a form, with 'Content-Type: application/x-www-form-urlencoded'.")
    return validated(model, _urlencoded_fields(raw), "body", is_strict=False)


def is_form(content_type: list[bytes]) -> bool:
    return bool(content_type) and _media_type(content_type[0]) in {URLENCODED, MULTIPART}


async def form_fields(raw: bytes, content_type: list[bytes]) -> dict[str, str]:
    """The fields of an urlencoded form or of one by RFC 7578, which may hold no file.

    Raises:
        MalformedBody: the parts cannot be told apart, or one of them is a file.
    """
    if _media_type(content_type[0]) == URLENCODED:
        return _urlencoded_fields(raw)

    async def whole() -> AsyncGenerator[bytes, None]:
        yield raw

    headers = Headers(raw=[(b"content-type", content_type[0])])
    try:
        form = await MultiPartParser(headers, whole(), max_files=0, max_fields=MAX_FIELDS).parse()
    except MultiPartException as error:
        raise MalformedBody(f"The form cannot be read: {error.message}") from None
    return {name: _without_nul(value) for name, value in form.items() if isinstance(value, str)}


def _urlencoded_fields(raw: bytes) -> dict[str, str]:
    pairs = _pairs(raw, "body", keep_blank_values=True, errors="replace")
    return {name: _without_nul(value) for name, value in pairs}


def _without_nul(text: str) -> str:
    return text.replace("\x00", "\ufffd")


def _pairs(encoded: bytes, location: Location, *, keep_blank_values: bool, errors: str) -> list[tuple[str, str]]:
    """With ``surrogateescape`` what is not UTF-8 becomes lone surrogates, so that validation names its field.

    Raises:
        Invalid: there are more than mean anything, each of which would be looked at.
    """
    if encoded.count(b"&") >= MAX_FIELDS:
        raise _too_many(location)
    return parse_qsl(encoded.decode(errors=errors), keep_blank_values=keep_blank_values, errors=errors)
