"""The Postman collection tours each contract; newman runs it in tests/interop."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taskwell.app import create_contracts
from tests.support.documents import operations

FILE = Path(__file__).parents[1] / "postman" / "taskwell.postman_collection.json"


def held() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each request with the name of its tour."""
    for folder in json.loads(FILE.read_text())["item"]:
        yield from ((folder["name"], item) for item in folder["item"])


def test_every_contract_has_a_tour():
    again = {"v1_by_user"}  # the same calls as v1

    assert set(create_contracts()) - again <= {tour for tour, _ in held()}


def test_every_request_is_an_operation_of_a_contract():
    known = {(each.method.upper(), re.sub(r"\{\w+\}", "[^/]+", each.path)) for each in operations()}
    for tour, item in held():
        path = item["request"]["url"].removeprefix("{{base_url}}").partition("?")[0]
        method = item["request"]["method"]
        assert any(method == each and re.fullmatch(pattern, path) for each, pattern in known), (tour, item["name"])


def test_every_variable_that_a_request_needs_was_set_before_it():
    """So that a folder can be run from top to bottom, alone."""
    known: dict[str, set[str]] = {}
    for tour, item in held():
        have = known.setdefault(tour, {"base_url", "$guid"})
        scripts = {each["listen"]: "".join(each["script"]["exec"]) for each in item.get("event", ())}
        have |= fresh(scripts.get("prerequest", ""))
        needed = set(re.findall(r"\{\{(.+?)\}\}", json.dumps(item["request"])))
        if "auth" not in item["request"]:
            needed.add("token")
        assert needed <= have, (tour, item["name"])
        have |= fresh(scripts.get("test", ""))


def fresh(script: str) -> set[str]:
    """The variables that a script sets."""
    return set(re.findall(r"collectionVariables.set\('(\w+)'", script))


def test_no_secret_is_in_it():
    variables = {each["key"]: each["value"] for each in json.loads(FILE.read_text())["variable"]}

    assert {name for name, value in variables.items() if value} == {"base_url"}
