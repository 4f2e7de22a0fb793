"""What people do beside single writes: bulk, and every way of reading."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.machine import Product
from tests.model.people import changes, filters, members, which, who
from tests.model.product import Account, Change, Task

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(("create", "update", "complete", "reopen", "delete", "restore")),
        which,
        members,
        changes,
        st.sampled_from((None, None, None, True, False)),
    ),
    min_size=1,
    max_size=6,
)
STATUS = {"create": 201, "delete": 204}


class Reading(Product):
    last: ClassVar[Any] = None

    def teardown(self) -> None:
        for person in self.people:
            self.has_everything(person)
        type(self).last = self

    def exports(self) -> list[Any]:
        """All that each person owns, in each world, to the byte."""
        answers = [self.ask(person, "GET", "/api/v1/users/me/export") for person in self.people]
        return [raw | {"exported_at": None} for answer in answers for raw in answer.raw]

    @rule(person=who)
    def look(self, person: str) -> None:
        self.has_everything(person)

    @rule(person=who, number=which)
    def get(self, person: str, number: int) -> None:
        number = self.some_task(number)
        task = self.accounts[person].find(number)
        shapes = {
            f"/api/v1/tasks/<t{number}>": self.shows,
            f"/api/users/<{self.people[person]}>/todos/<t{number}>": self.shows_todo,
            f"/api/<{self.people[person]}>/tasks/<t{number}>": self.shows_user_task,
        }
        for path, shape in shapes.items():
            answer = self.ask(person, "GET", path)
            assert answer.status == (200 if task else 404)
            assert task is None or answer.body == shape(person, task)

    @rule(person=who)
    def look_through_the_other_contracts(self, person: str) -> None:
        newest_first = sorted(self.accounts[person].living(), key=lambda task: -task.number)
        me = self.people[person]
        todos = self.ask(person, "GET", f"/api/users/<{me}>/todos")
        assert todos.body["todos"] == [self.shows_todo(person, task) for task in newest_first]
        tasks = self.ask(person, "GET", f"/api/<{me}>/tasks")
        assert tasks.body == [self.shows_user_task(person, task) for task in newest_first]

    @rule(person=who, asked=filters, limit=st.integers(1, 4))
    def search_and_sort(self, person: str, asked: Change, limit: int) -> None:
        """Walks all pages; what they hold together is what the model finds, in its order."""
        asked = dict(asked)
        if isinstance(asked.get("list_id"), int):
            asked["list_id"] = self.some_list(asked["list_id"])
        if asked.get("sort") == "relevance" and "q" not in asked:
            asked["q"] = "milk"
        params = asked | {"limit": limit, "include_total": "true"}
        if isinstance(asked.get("list_id"), int):
            params["list_id"] = f"<l{asked['list_id']}>"
        if "overdue" in asked:
            params["overdue"] = str(asked["overdue"]).lower()
        expected = self.accounts[person].found(asked, datetime.now(UTC))
        walked = self._walked(person, params, len(expected))
        shown = [self.shows(person, task) for task in expected]
        if asked.get("sort") == "relevance":
            walked, shown = (sorted(each, key=lambda task: str(task["id"])) for each in (walked, shown))
        assert walked == shown

    def _walked(self, person: str, params: dict[str, Any], total: int) -> list[Any]:
        walked: list[Any] = []
        page = self.ask(person, "GET", "/api/v1/tasks", params=params)
        while True:
            assert page.status == 200, page.raw
            assert page.body["total"] == total
            walked += page.body["items"]
            if page.body["next_cursor"] is None:
                return walked
            cursors = [raw["next_cursor"] for raw in page.raw]
            self.worlds.call("cursor", cursors)
            page = self.ask(person, "GET", "/api/v1/tasks", params=params | {"cursor": "<cursor>"})

    @rule(person=who, drawn=OPERATIONS, atomic=st.booleans())
    def bulk(self, person: str, drawn: list[Any], *, atomic: bool) -> None:
        before = self.accounts[person]
        planned = _Bulk(before, self.things)
        wires = [self._planned(person, planned, *each) for each in drawn]
        sent = {"operations": wires, "atomic": atomic}
        answer = self.ask(person, "POST", "/api/v1/tasks/bulk", json=sent, new=planned.ids)
        failed = [index for index, status in enumerate(planned.statuses) if status >= 400]
        if atomic and failed:
            assert (answer.status, answer.body["index"]) == (planned.statuses[failed[0]], failed[0])
            return
        assert answer.status == 200, answer.raw
        assert [each["status"] for each in answer.body["results"]] == planned.statuses
        before.write(*planned.after.values())

    def _planned(self, person: str, planned: "_Bulk", verb: str, number: int, *drawn: Any) -> Change:
        full, partial, matches = drawn
        if verb == "create":
            wire, meant = self.named(full)
            planned.create(meant, has_list=self.has_list(person, meant))
            return {"op": verb, "data": wire}
        number = self.some_task(number)
        wire, meant = self.named(partial) if verb == "update" else ({}, {})
        meant = {
            "complete": {"completed": True},
            "reopen": {"completed": False},
            "delete": {"is_deleted": True},
            "restore": {"is_deleted": False},
        }.get(verb, meant)
        revision = planned.revision_of(number) + (0 if matches else 1)
        planned.change(
            verb, number, meant, revision if matches is not None else None, has_list=self.has_list(person, meant)
        )
        data = {"data": wire} if verb == "update" else {}
        return {"op": verb, "id": f"<t{number}>"} | data | ({} if matches is None else {"if_match": revision})


class _Bulk:
    """What operations come to, one after the other, before any of them is stored."""

    def __init__(self, account: Account, things: Any) -> None:
        self.account = account
        self.things = things
        self.after: dict[int, Task] = {}
        self.made: dict[int, int] = {}
        self.statuses: list[int] = []

    def revision_of(self, number: int) -> int:
        task = self.account.tasks.get(number)
        return task.revision if task else 1

    def ids(self, answer: Any) -> dict[str, str]:
        results = answer["results"]
        return {f"t{number}": results[index]["task"]["id"] for index, number in self.made.items()}

    def create(self, meant: Change, *, has_list: bool) -> None:
        if has_list:
            number = next(self.things)
            self.made[len(self.statuses)] = number
            self.after[number] = self.account.becomes(Task(number, ""), meant)
        self.statuses.append(201 if has_list else 422)

    def change(self, verb: str, number: int, meant: Change, revision: int | None, *, has_list: bool) -> None:
        task = self.after.get(number) or self.account.tasks.get(number)
        if task is None or task.is_deleted is not (verb == "restore"):
            self.statuses.append(404)
        elif revision is not None and revision != task.revision:
            self.statuses.append(412)
        elif not has_list:
            self.statuses.append(422)
        else:
            self.after[number] = self.account.becomes(task, meant)
            self.statuses.append(STATUS.get(verb, 200))
