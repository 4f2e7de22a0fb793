"""The Better Auth todo front end (003): what it sends, and the members that it reads."""

from typing import Any

import httpx2


class BetterAuthFrontEnd:
    """Keeps ``access_token`` and the user's id, and shows ``detail`` where something is refused."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.token = ""
        self.user_id = ""

    async def sign_up(self, email: str, password: str, name: str) -> None:
        await self._enter("/auth/register", {"email": email, "password": password, "name": name})

    async def sign_in(self, email: str, password: str) -> None:
        await self._enter("/auth/login", {"email": email, "password": password})

    async def _enter(self, path: str, body: dict[str, str]) -> None:
        self.token = (await self._call("POST", path, body))["access_token"]
        self.user_id = (await self._call("GET", "/auth/me"))["id"]

    async def who_am_i(self) -> str:
        return str((await self._call("GET", "/auth/me"))["email"])

    async def todos(self, **filters: str) -> list[dict[str, Any]]:
        return list(await self._call("GET", self._path(), params=filters))

    async def add(self, title: str, priority: str = "medium") -> str:
        return str((await self._call("POST", self._path(), {"title": title, "priority": priority}))["id"])

    async def edit(self, task_id: str, title: str, description: str, priority: str) -> dict[str, Any]:
        body = {"title": title, "description": description, "priority": priority}
        return dict(await self._call("PUT", self._path(task_id), body))

    async def set_completed(self, task_id: str, *, completed: bool) -> bool:
        """Its checkbox is a PUT of that one field."""
        return bool((await self._call("PUT", self._path(task_id), {"completed": completed}))["completed"])

    async def delete(self, task_id: str) -> str:
        return str((await self._call("DELETE", self._path(task_id)))["id"])

    def _path(self, *parts: str) -> str:
        return "/".join((f"/api/{self.user_id}/tasks", *parts))

    async def _call(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = await self.http.request(method, path, json=body, params=params, headers=headers)
        if answer.is_error:
            raise PermissionError(answer.status_code, answer.json()["detail"])
        return answer.json()
