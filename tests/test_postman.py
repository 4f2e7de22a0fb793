"""The Postman collection holds every operation, as the documents say it; newman runs it in tests/interop."""

import json
import re
from collections.abc import Iterator
from typing import Any

from scripts import postman
from tests.support.documents import operations


def held() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each request with the name of its outermost folder."""
    for folder in json.loads(postman.FILE.read_text())["item"]:
        waiting = list(folder["item"])
        while waiting:
            item = waiting.pop(0)
            if "request" in item:
                yield folder["name"], item
            waiting += item.get("item", [])


def test_the_file_is_as_the_documents_say():
    assert postman.FILE.read_text() == postman.text(), "run 'make openapi' and commit it"


def test_every_operation_of_every_contract_is_in_it():
    requests = {(item["request"]["method"].lower(), _path(item)) for _, item in held()}

    assert {(each.method, each.path) for each in operations() if not postman.ALIASES.search(each.path)} == requests


def _path(item: dict[str, Any]) -> str:
    return "/" + re.sub(r":(\w+)", r"{\1}", "/".join(item["request"]["url"]["path"]))


def test_every_body_is_an_example_and_every_answer_is_judged():
    bodies = {(each.method, each.path): each.body for each in operations()}
    for _, item in held():
        request = item["request"]
        if bodies[request["method"].lower(), _path(item)] is not None:
            assert request["body"]["urlencoded" if request["body"]["mode"] == "urlencoded" else "raw"]
        (judged,) = (event["script"]["exec"] for event in item["event"] if event["listen"] == "test")
        assert judged[0].startswith("pm.test('the status is 2")


def test_every_variable_that_a_request_needs_was_set_before_it():
    """So that a folder can be run from top to bottom, alone."""
    known: dict[str, set[str]] = {}
    for folder, item in held():
        have = known.setdefault(folder, {"base_url", "$guid"})
        scripts = "".join(line for event in item["event"] for line in event["script"]["exec"])
        fresh = set(re.findall(r"collectionVariables.set\('(\w+)'", scripts))
        have |= fresh if "signup" in _path(item) else set()
        needed = set(re.findall(r"\{\{(.+?)\}\}", json.dumps(item["request"])))
        if "auth" not in item["request"]:
            needed.add("token")
        assert needed <= have, (folder, item["name"])
        have |= fresh


def test_no_secret_is_in_it():
    variables = {each["key"]: each["value"] for each in json.loads(postman.FILE.read_text())["variable"]}

    assert {name for name, value in variables.items() if value} == {"base_url"}
