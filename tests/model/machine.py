"""What people do: every verb through HTTP, in any order, by any contract."""

from typing import Any, ClassVar
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.desk import Desk
from tests.model.people import (
    TAGS,
    ZONES,
    a_precondition,
    a_title,
    an_address,
    changes,
    members,
    which,
    who,
)
from tests.model.product import Change, Task, TaskList, instant

TODO_MEMBERS = ("title", "description", "priority", "completed")
POSITIONS = st.none() | st.integers(0, 3)


class Product(Desk):
    upheavals: ClassVar[frozenset[int]] = frozenset()
    """The numbers of 100 at which a process ends, or a database is moved."""

    @rule(person=who, body=members, address=an_address, key=st.sampled_from((None, None, "a", "b")))
    def create(self, person: str, body: Change, address: str, key: str | None) -> None:
        account = self.accounts[person]
        wire, meant = self.named(body)
        number = next(self.things)
        path = self.tasks_path(person, address)
        headers = {"Idempotency-Key": key} if key else {}
        sent = path, wire
        kept = account.kept.get(f"{path} {key}") if key else None
        name = f"t{kept[1] if kept else number}"
        answer = self.ask(person, "POST", path, json=wire, headers=headers, new=lambda made: {name: made["id"]})
        if kept is not None:
            assert answer.status == (201 if kept[0] == sent else 422)
            if answer.status == 201:
                assert answer.headers["idempotency-replayed"] == "true"
                assert answer.body["id"] == f"<{name}>"
            return
        if not self.has_list(person, meant):
            assert answer.status == 422
            return
        account.write(account.becomes(Task(number, ""), meant))
        self.wrote(person, number, answer, 201)
        if key:
            account.kept[f"{path} {key}"] = sent, number

    def wrote(self, person: str, number: int, answer: Any, status: int = 200) -> None:
        task = self.accounts[person].tasks[number]
        assert (answer.status, answer.body) == (status, self.shows(person, task))
        assert answer.headers["etag"] == f'"{task.revision}"'
        self.sight(person, task, answer.raw)

    @rule(person=who, number=which, body=changes, is_full=st.booleans(), when=a_precondition, full=members)
    def change(
        self, person: str, number: int, body: Change, when: str | None, full: Change, *, is_full: bool
    ) -> None:
        """PATCH and PUT of v1."""
        number = self.some_task(number)
        wire, meant = self.named(full if is_full else body)
        if is_full:
            defaults = vars(Task(0, "")) | {"completed": False}
            names = ("description", "priority", "completed", "due_date", "due_at", "list", "tags")
            meant = {name: defaults[name] for name in names} | meant
        path = f"{self.tasks_path(person)}/<t{number}>"
        self.rewrite(person, number, ("PUT" if is_full else "PATCH", path, wire), meant, when)

    def rewrite(
        self, person: str, number: int, sent: tuple[str, str, Change | None], meant: Change, when: str | None
    ) -> None:
        account = self.accounts[person]
        task = account.find(number)
        goes_through, headers = self.lets(task or Task(0, ""), when)
        method, path, wire = sent
        options: dict[str, Any] = {} if wire is None else {"json": wire}
        answer = self.ask(person, method, path, headers=headers, **options)
        if task is None:
            assert answer.status == 404
        elif not goes_through:
            assert answer.status == 412
        elif not self.has_list(person, meant):
            assert answer.status == 422
        else:
            account.write(account.becomes(task, meant))
            self.wrote(person, number, answer)

    @rule(person=who, number=which, sets=st.sampled_from((None, True, False)), when=a_precondition)
    def complete(self, person: str, number: int, when: str | None, *, sets: bool | None) -> None:
        number = self.some_task(number)
        task = self.accounts[person].find(number)
        meant = {"completed": not (task and task.completed) if sets is None else sets}
        path = f"{self.tasks_path(person)}/<t{number}>/complete"
        self.rewrite(person, number, ("PATCH", path, None if sets is None else {"completed": sets}), meant, when)

    @rule(person=who, number=which, permanent=st.booleans(), when=a_precondition)
    def delete(self, person: str, number: int, when: str | None, *, permanent: bool) -> None:
        account, number = self.accounts[person], self.some_task(number)
        task = account.find(number)
        goes_through, headers = self.lets(task or Task(0, ""), when)
        path = f"{self.tasks_path(person)}/<t{number}>?permanent={str(permanent).lower()}"
        answer = self.ask(person, "DELETE", path, headers=headers)
        assert answer.status == (404 if task is None else 204 if goes_through else 412)
        if answer.status != 204 or task is None:
            return
        if permanent:
            account.erase(number)
        else:
            account.write(account.becomes(task, {"is_deleted": True}))

    @rule(person=who, number=which)
    def restore(self, person: str, number: int) -> None:
        account, number = self.accounts[person], self.some_task(number)
        task = account.find(number, in_trash=True)
        answer = self.ask(person, "POST", f"{self.tasks_path(person)}/<t{number}>/restore")
        if task is None:
            assert answer.status == 404
            return
        account.write(account.becomes(task, {"is_deleted": False}))
        self.wrote(person, number, answer)

    @rule(person=who, body=changes, full=members, is_full=st.booleans(), number=which)
    def change_todo(self, person: str, body: Change, full: Change, number: int, *, is_full: bool) -> None:
        """Of the todos contract, whose clients know three priorities."""
        account, number = self.accounts[person], self.some_task(number)
        wire = {name: value for name, value in (full if is_full else body).items() if name in TODO_MEMBERS}
        if wire.get("priority") == "urgent":
            wire["priority"] = "high"
        defaults = {"description": None, "priority": "medium", "completed": False} if is_full else {}
        path = f"/api/users/<{self.people[person]}>/todos/<t{number}>"
        answer = self.ask(person, "PUT" if is_full else "PATCH", path, json=wire)
        task = account.find(number)
        if task is None:
            assert answer.status == 404
            return
        meant = defaults | wire
        if task.priority == "urgent" and meant.get("priority") == "high":
            meant["priority"] = "urgent"
        account.write(account.becomes(task, meant))
        assert (answer.status, answer.body) == (200, self.shows_todo(person, account.tasks[number]))

    @rule(person=who, body=changes, number=which, method=st.sampled_from(("PUT", "PATCH")))
    def change_user_task(self, person: str, body: Change, number: int, method: str) -> None:
        """Of the user_tasks contract, which has one due and whose PUT is partial."""
        account, number = self.accounts[person], self.some_task(number)
        wire = {name: value for name, value in body.items() if name not in ("list_id", "due_at")}
        meant = dict(wire)
        if "due_at" in body:
            wire["due_date"] = body["due_at"]
            meant["due_at"] = body["due_at"] and instant(body["due_at"]).isoformat()
        if "due_date" in wire:
            meant = {"due_date": None, "due_at": None} | meant
        answer = self.ask(person, method, f"/api/<{self.people[person]}>/tasks/<t{number}>", json=wire)
        task = account.find(number)
        if task is None:
            assert answer.status == 404
            return
        account.write(account.becomes(task, meant))
        assert (answer.status, answer.body) == (200, self.shows_user_task(person, account.tasks[number]))

    @rule(person=who, name=a_title, color=st.sampled_from((None, "#00ff00")), position=POSITIONS)
    def create_list(self, person: str, name: str, color: str | None, position: int | None) -> None:
        account, number = self.accounts[person], next(self.things)
        body = {"name": name[:100], "color": color} | ({} if position is None else {"position": position})
        answer = self.ask(person, "POST", "/api/v1/lists", json=body, new=lambda made: {f"l{number}": made["id"]})
        at = account.next_position() if position is None else position
        account.create_list(TaskList(number, name[:100].strip(), color, at))
        assert (answer.status, answer.body) == (201, self.shows_list(person, account.lists[number]))

    @rule(person=who, number=which, named=st.fixed_dictionaries({}, optional={
        "name": st.sampled_from(("Home", " Café ")), "color": st.sampled_from((None, "#ff0000")),
        "position": st.integers(0, 3)}))  # fmt: skip
    def change_list(self, person: str, number: int, named: Change) -> None:
        account, number = self.accounts[person], self.some_list(number)
        answer = self.ask(person, "PATCH", f"/api/v1/lists/<l{number}>", json=named)
        if number not in account.lists:
            assert answer.status == 404
            return
        account.change_list(number, named | ({"name": named["name"].strip()} if "name" in named else {}))
        assert (answer.status, answer.body) == (200, self.shows_list(person, account.lists[number]))

    @rule(person=who, number=which, with_tasks=st.booleans())
    def delete_list(self, person: str, number: int, *, with_tasks: bool) -> None:
        account, number = self.accounts[person], self.some_list(number)
        path = f"/api/v1/lists/<l{number}>?delete_tasks={str(with_tasks).lower()}"
        answer = self.ask(person, "DELETE", path)
        assert answer.status == (204 if number in account.lists else 404)
        if number in account.lists:
            account.remove_list(number, with_tasks=with_tasks)

    @rule(person=who, tag=st.sampled_from(TAGS), name=st.none() | st.sampled_from(TAGS))
    def retag(self, person: str, tag: str, name: str | None) -> None:
        """Renames a tag, merges it into another, or takes it away."""
        account = self.accounts[person]
        path = f"/api/v1/tags/{quote(tag.strip(), safe='')}"
        if name is None:
            answer = self.ask(person, "DELETE", path)
        else:
            answer = self.ask(person, "PATCH", path, json={"name": name})
        is_there = account.retag(tag.strip(), name and name.strip())
        assert answer.status == ((200 if name else 204) if is_there else 404)
        if is_there and name is not None:
            (shown,) = [each for each in account.tags() if each[0].casefold() == name.strip().casefold()]
            assert (answer.body["tasks"], answer.body["open_tasks"]) == shown[1:]

    @rule(person=who, zone=st.sampled_from(ZONES))
    def move_to_zone(self, person: str, zone: str) -> None:
        account = self.accounts[person]
        assert self.ask(person, "PATCH", "/api/v1/users/me", json={"time_zone": zone}).status == 200
        account.revision += account.time_zone != zone
        account.time_zone = zone

    @precondition(lambda self: self.upheavals)
    @rule(dice=st.integers(0, 99))
    def upheaval(self, dice: int) -> None:
        if dice in self.upheavals:
            self.now(self.worlds.upheave("restart" if dice % 2 else "move"))
            for person in self.people:
                self.has_everything(person)
