"""The front end of the HTTP and database upgrade (004): what it sends, and the members that it reads."""

from typing import Any

import httpx2

from tests.support.issuer import SHARED, shared_secret_token


class UpgradeFrontEnd:
    """Signs its own tokens with the shared secret, and shows ``detail`` where something is refused."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.token = ""
        self.user_id = ""

    async def sign_up(self, email: str, password: str, name: str) -> None:
        """Its own server keeps the accounts; a user is known here from the first call on."""
        await self.sign_in(email, password)

    async def sign_in(self, email: str, password: str) -> None:
        if password.startswith("wrong"):
            raise PermissionError(401, "its own server says so")
        self.user_id = email.partition("@")[0]
        self.token = shared_secret_token(SHARED, sub=self.user_id, email=email)

    async def who_am_i(self) -> str:
        await self._call("GET", self._path())
        return f"{self.user_id}@example.com"

    async def todos(self, **filters: str) -> list[dict[str, Any]]:
        answer = await self._call("GET", self._path(), params=filters)
        assert isinstance(answer, list)
        return answer

    async def add(self, title: str, priority: str = "medium") -> str:
        return str((await self._call("POST", self._path(), {"title": title, "priority": priority}))["id"])

    async def edit(self, task_id: str, title: str, description: str, priority: str) -> dict[str, Any]:
        """Each field is saved when one leaves it, in a PUT that names that field alone."""
        await self._call("PUT", self._path(task_id), {"description": description})
        await self._call("PUT", self._path(task_id), {"priority": priority})
        return dict(await self._call("PUT", self._path(task_id), {"title": title}))

    async def set_completed(self, task_id: str, *, completed: bool) -> bool:
        return bool(
            (await self._call("PATCH", self._path(task_id, "complete"), {"completed": completed}))["completed"]
        )

    async def delete(self, task_id: str) -> str:
        assert await self._call("DELETE", self._path(task_id)) is None
        return task_id

    def _path(self, *parts: str) -> str:
        return "/".join((f"/api/v1/{self.user_id}/tasks", *parts))

    async def _call(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = await self.http.request(method, path, json=body, params=params, headers=headers)
        if answer.is_error:
            raise PermissionError(answer.status_code, answer.json()["detail"])
        return None if answer.status_code == 204 else answer.json()
