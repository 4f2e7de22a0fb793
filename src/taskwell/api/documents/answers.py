"""The answers of an operation: the headers of a success, and every possible error."""

from collections.abc import Iterator
from typing import Any

import orjson

from taskwell.api.documents.about import ERROR_SCHEMAS
from taskwell.api.documents.operation_facts import OperationFacts
from taskwell.api.failures import FAILURES
from taskwell.api.hosts import PROBES
from taskwell.api.problems import Renderer
from taskwell.errors import AppError, Invalid

Json = dict[str, Any]

REQUEST_ID = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"

_HEADERS: dict[str, Json] = {
    "ETag": {
        "description": "The state that this is; send it as If-Match or If-None-Match.",
        "schema": {"type": "string"},
    },
    "Location": {"description": "The path of what was made.", "schema": {"type": "string"}},
    "Link": {"description": 'The next page: `<…>; rel="next"`; absent on the last.', "schema": {"type": "string"}},
    "X-Total-Count": {
        "description": "How many there are in all, where the answer holds only some of them.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "Idempotency-Replayed": {
        "description": "`true` where this is the stored answer of an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {"description": "How to sign in (RFC 6750).", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "RateLimit": {"description": "What is left, and when it is more.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The limit itself.", "schema": {"type": "string"}},
}


class Answers:
    """Writes the answers of a contract's operations, and collects their shared components."""

    def __init__(self, name: str, render: Renderer) -> None:
        self._render = render
        self._schema_name = next(iter(ERROR_SCHEMAS[name]))
        self.schemas = ERROR_SCHEMAS[name]
        self.components: dict[str, Json] = {}

    def complete(self, written: Json, facts: OperationFacts) -> None:
        responses: dict[str, Json] = written["responses"]
        if "HTTPValidationError" in str(responses.get("422")):
            del responses["422"]
        codes = list(dict.fromkeys([*_declared(responses), *_codes(facts)]))
        _describe_success(responses, facts)
        for status, errors in sorted(self._by_status(codes, facts).items()):
            self._add(responses, str(status), errors)
        written["responses"] = dict(sorted(responses.items()))

    def _by_status(self, codes: list[str], facts: OperationFacts) -> dict[int, list[AppError]]:
        found: dict[int, list[AppError]] = {}
        for error in (error for code in codes for error in FAILURES[code].examples):
            if facts.takes_body or not _is_missing(error):
                found.setdefault(self._render(error, REQUEST_ID).status_code, []).append(error)
        return found

    def _add(self, responses: Json, status: str, errors: list[AppError]) -> None:
        answer = self._answer(errors)
        if status in responses:  # the operation declares an answer with this status itself
            own = responses[status].setdefault("content", {})
            for media_type, content in answer["content"].items():
                if media_type in own:
                    content["schema"] = {"anyOf": [own[media_type]["schema"], content["schema"]]}
                own[media_type] = content
            return
        codes = sorted({"missing_value" if _is_missing(error) else error.code for error in errors})
        name = "Or".join(code.title().replace("_", "") for code in codes)
        self.components[name] = answer
        responses[status] = {"$ref": f"#/components/responses/{name}"}

    def _answer(self, errors: list[AppError]) -> Json:
        examples: dict[str, Json] = {}
        headers: set[str] = set()
        media_type = "application/json"
        for error in errors:
            response = self._render(error, REQUEST_ID)
            media_type = response.headers["content-type"]
            headers |= {name for name in _HEADERS if name.lower() in response.headers}
            name = f"{error.code}_missing" if _is_missing(error) else error.code
            examples[name] = {"summary": error.title, "value": orjson.loads(response.body)}
        if any(error.status == 429 for error in errors):
            headers |= {"RateLimit", "RateLimit-Policy"}
        answer: Json = {"description": ", or ".join(dict.fromkeys(error.title for error in errors)) + "."}
        if headers:
            answer["headers"] = {name: _HEADERS[name] for name in sorted(headers)}
        schema = {"$ref": f"#/components/schemas/{self._schema_name}"}
        return answer | {"content": {media_type: {"schema": schema, "examples": examples}}}


def _is_missing(error: AppError) -> bool:
    return isinstance(error, Invalid) and error.errors[0].type == "missing"


def _declared(responses: dict[str, Json]) -> list[str]:
    """Takes the codes that ``raises`` has declared out of the responses."""
    marked = [status for status, answer in responses.items() if "x-failures" in answer]
    return [code for status in marked for code in responses.pop(status)["x-failures"]]


def _codes(facts: OperationFacts) -> Iterator[str]:
    """The error codes that follow from the operation's input, in the order of the checks."""
    operation, path_params = facts.operation, facts.path_params
    is_signed_in, is_write = operation.needs_principal, facts.method != "GET"
    checks_values = facts.takes_content or operation.signature.query[1].model_fields or operation.is_strict
    for applies, codes in (
        (facts.path not in PROBES, ("unknown_host",)),
        (is_signed_in, ("unauthorized", "invalid_token")),
        (is_signed_in, ("insufficient_scope",)),
        (is_signed_in and "user_id" in path_params, ("forbidden",)),
        (is_signed_in or facts.takes_content, ("rate_limited",)),
        (facts.takes_cursor, ("invalid_cursor",)),
        (operation.takes_key, ("invalid_header", "request_in_progress", "idempotency_key_reused")),
        (facts.takes_document, ("malformed_body", "body_too_deep")),
        (facts.takes_content, ("unsupported_media_type", "body_too_large")),
        (checks_values, ("validation_failed",)),
        (facts.may_be_read_only, ("read_only",)),
        (facts.takes_space or any(name != "user_id" for name in path_params), ("not_found",)),
        ("If-Match" in facts.request_headers, ("invalid_header", "precondition_required")),
        (is_signed_in and is_write, ("precondition_failed",)),
        (is_write, ("storage_full",)),
        (True, ("internal_error", "unavailable", "timed_out")),
    ):
        if applies:
            yield from codes


def _describe_success(responses: dict[str, Json], facts: OperationFacts) -> None:
    headers = {name: _HEADERS[name] for name in facts.answer_headers}
    for status, answer in responses.items():
        if status.startswith("2"):
            answer["description"] = {"201": "Made.", "204": "Done; there is no body."}.get(status, "Done.")
            if headers:
                answer["headers"] = headers | answer.get("headers", {})
    if facts.answers_unchanged:
        responses["304"] = {"description": "Nothing has changed.", "headers": {"ETag": _HEADERS["ETag"]}}
