"""Every statement that names a table of a space's things is about the one space that ``:space`` says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest

import taskwell
from taskwell.api.v1.schemas import AS_JSON
from taskwell.api.v1.users import EXPORT
from taskwell.database import Base, Query, now
from taskwell.database.postgres import DIALECT as POSTGRES
from taskwell.database.query import Step
from taskwell.database.sqlite import DIALECT as SQLITE
from taskwell.tasks import AS_TASK, TaskSort
from taskwell.tasks.filters import Asker, conditions
from taskwell.tasks.one_statement import OneStatementChange
from taskwell.tasks.page_queries import SORTED_BY, PageShape, page_query
from taskwell.tasks.queries import rewrite
from taskwell.tasks.several_queries import several_query, version_query
from tests.tasks.test_query_plans import FILTERS

OF_SPACES = sorted(table.name for table in Base.metadata.tables.values() if "space_id" in table.columns)
ASKER = Asker("01938d1c-0000-7000-8000-000000000001", now(), "UTC")

ABOUT_MANY = {
    "taskwell.spaces.queries._EVERY": "the spaces of a user, by the user",
    "taskwell.spaces.queries._EVERY_ACCESS": "the spaces of a user, by the user",
    "taskwell.spaces.verbs._SHARED": "the spaces of a user, by the user",
    "taskwell.spaces.members._LOCK_ALL": "whoever is deleted leaves every space of theirs",
    "taskwell.spaces.members._REMOVE_DESERTED": "whoever is deleted leaves every space of theirs",
    "taskwell.spaces.members._SUCCEED": "whoever is deleted leaves every space of theirs",
    "taskwell.spaces.members._ALL_CHANGED": "whoever is deleted leaves every space of theirs",
    "taskwell.spaces.members._LEAVE_ALL": "whoever is deleted leaves every space of theirs",
    "taskwell.spaces.invitations._BY_TOKEN": "a token says which space it leads to",
    "taskwell.spaces.invitations._ADD_MAILED": "the mail of an invitation has its id",
    "taskwell.spaces.invitations._PURGE": "the worker forgets what is over in every space",
    "taskwell.users.export._MEMBERSHIPS": "the spaces of a user, by the user",
    "export of memberships": "the spaces of a user, by the user",
    "export of shared_comments": "what a user has written in shared spaces, by the user",
    "export of shared_tasks": "what a user has written in shared spaces, by the user",
    "taskwell.tasks.purge._PURGE": "the worker removes what was in the trash for long enough, in every space",
    "taskwell.tasks.reminder_queue._NEXT": "the worker looks for what is due in every space",
    "taskwell.tasks.reminder_queue._CLAIM": "the worker takes what is due in every space",
    "taskwell.tasks.reminder_queue._REMOVE_MAILS": "a user's reminders of every space, by the user",
    "taskwell.tasks.reminder_queue._WAITING": "a user's reminders of every space, by the user",
}


def queries() -> Iterator[tuple[str, Query[Any]]]:
    """Every query of Taskwell's modules, and of those that are made when they are asked for every kind."""
    for module in walk_packages(taskwell.__path__, "taskwell."):
        if not re.search(r"versions|__main__|migrations\.env", module.name):
            for name, value in vars(import_module(module.name)).items():
                if isinstance(value, Query):
                    yield f"{module.name}.{name}", value
    for section, query in EXPORT.sections.items():
        yield f"export of {section}", query
    for in_trash in (False, True):
        yield f"version of several spaces {in_trash}", version_query(in_trash=in_trash)
    for living in (-1, 0, 1):
        yield f"rewrite {living}", rewrite(frozenset({"title", "deleted_at"}), living)
    for completion in ("complete", "reopen", "toggle", None):
        yield f"direct {completion}", OneStatementChange({"title": "x"}, completion).query()
    for name, wanted in FILTERS.items():
        found, _ = conditions(wanted, ASKER)
        shape = PageShape(found, TaskSort(), 50, "key", True, False)  # noqa: FBT003
        yield f"page {name}", page_query(shape, AS_TASK)
        yield f"page of several spaces {name}", several_query(shape, AS_TASK)
    for key in SORTED_BY:
        for after in (None, "key"):
            shape = PageShape((), TaskSort(key), 50, after, True, key == "deleted_at", is_offset=after is None)  # noqa: FBT003
            yield f"page by {key}", page_query(shape, AS_JSON)
            if key != "relevance":
                yield f"page of several spaces by {key}", several_query(replace(shape, is_offset=False), AS_JSON)


def unbound(step: Step) -> list[str]:
    """The tables that the statement names more often than it says of which space."""
    text = re.sub(r"\s+", " ", step.text)
    numbers = iter(range(len(step.parameters)))
    text = re.sub(r"\?", lambda _: f":{step.parameters[next(numbers)][0]}", text)  # SQLite's, one after the other
    text = re.sub(r"\$(\d+)(::\w+)?", lambda found: f":{step.parameters[int(found[1]) - 1][0]}", text)
    found = []
    for table in OF_SPACES:
        named = len(re.findall(rf"(?:FROM|JOIN|UPDATE|,) {table}(?= |\)|$)(?! AS found)", text))
        bound = len(re.findall(rf"\b{table}\.space_id = (?::space\b|:target\b|\w+\.space_id)", text))
        added = len(re.findall(rf"INTO {table} \(", text))
        added_there = len(
            re.findall(rf"INTO {table} \(space_id, .*?\) (?:SELECT |VALUES \()(?::space\b|each_space\.id)", text)
        )
        if named > bound or added > added_there:
            found.append(f"{table} in {text}")
    return found


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgresql"])
def test_every_statement_about_a_spaces_things_is_about_one_space(dialect):
    looked_at, about_many = 0, set()
    for name, query in queries():
        if name in ABOUT_MANY:
            about_many.add(name)
            continue
        for step in query.steps(dialect):
            looked_at += any(table in step.text for table in OF_SPACES)
            assert unbound(step) == [], name

    assert looked_at > 80
    assert about_many == set(ABOUT_MANY)


def test_a_statement_that_forgets_the_space_is_found():
    step = Step(
        "SELECT tasks.id FROM tasks WHERE tasks.id = $1::UUID", (("task_id", None, None),), None, is_read=True
    )

    assert unbound(step) != []
    assert (
        unbound(Step(step.text.replace("tasks.id =", "tasks.space_id ="), step.parameters, None, is_read=True)) != []
    )
