"""The todos front end (002): what it sends, and the members that it reads."""

from typing import Any

import httpx2


class TodosFrontEnd:
    """Keeps ``token`` and the user's id, and shows ``message`` where something is refused."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.token = ""
        self.user_id = ""

    async def sign_up(self, email: str, password: str, name: str) -> None:
        await self._enter("/api/auth/signup", {"email": email, "password": password, "name": name})

    async def sign_in(self, email: str, password: str) -> None:
        await self._enter("/api/auth/login", {"email": email, "password": password})

    async def _enter(self, path: str, body: dict[str, str]) -> None:
        session = await self._call("POST", path, body)
        self.token, self.user_id = session["token"], session["user"]["id"]

    async def who_am_i(self) -> str:
        return str((await self._call("GET", "/api/auth/me"))["email"])

    async def todos(self, **filters: str) -> list[dict[str, Any]]:
        answer = await self._call("GET", self._path(), params=filters)
        assert answer["total"] == len(answer["todos"])
        return list(answer["todos"])

    async def add(self, title: str, priority: str = "medium") -> str:
        return str((await self._call("POST", self._path(), {"title": title, "priority": priority}))["id"])

    async def edit(self, todo_id: str, title: str, description: str, priority: str) -> dict[str, Any]:
        """The edit form has no field for ``completed``."""
        body = {"title": title, "description": description, "priority": priority}
        return dict(await self._call("PUT", self._path(todo_id), body))

    async def set_completed(self, todo_id: str, *, completed: bool) -> bool:
        return bool(
            (await self._call("PATCH", self._path(todo_id, "complete"), {"completed": completed}))["completed"]
        )

    async def delete(self, todo_id: str) -> str:
        return str((await self._call("DELETE", self._path(todo_id)))["deleted_id"])

    def _path(self, *parts: str) -> str:
        return "/".join((f"/api/users/{self.user_id}/todos", *parts))

    async def _call(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = await self.http.request(method, path, json=body, params=params, headers=headers)
        if answer.is_error:
            raise PermissionError(answer.status_code, answer.json()["message"])
        return answer.json()
