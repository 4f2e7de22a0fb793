"""PocketBase as a peer: the same users, rows, rules and index, made through its own API and its own file."""

import json
import sqlite3
import subprocess
import urllib.request
from pathlib import Path

ADMIN = ("admin@example.com", "benchmark-admin-1")
PASSWORD = "taskwell sample 1"
TEXT, BOOL, NUMBER, DATE = "text", "bool", "number", "date"
FIELDS = {
    "title": TEXT, "description": TEXT, "priority": TEXT, "completed": BOOL, "completed_at": DATE, "due_date": TEXT,
    "due_at": DATE, "list_id": TEXT, "tags": "json", "revision": NUMBER,
}  # fmt: skip


class PocketBase:
    """One server over one folder."""

    def __init__(self, folder: Path, port: int, binary: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        self.command = [binary, "serve", f"--http=127.0.0.1:{port}", f"--dir={folder}"]
        subprocess.run([binary, "superuser", "upsert", *ADMIN, f"--dir={folder}"], check=True, capture_output=True)

    def prepare(self, users: int) -> list[dict[str, str]]:
        """Makes the collection and the users, while the server runs; gives their ids and tokens."""
        admin = self.call(
            "POST", "/api/collections/_superusers/auth-with-password", identity=ADMIN[0], password=ADMIN[1]
        )
        self._token = admin["token"]
        mine = "owner = @request.auth.id"
        owners = self.call("GET", "/api/collections/users")["id"]
        fields = [{"name": name, "type": kind} for name, kind in FIELDS.items()]
        fields.append(
            {"name": "owner", "type": "relation", "collectionId": owners, "cascadeDelete": True, "maxSelect": 1}
        )
        for name, on_update in (("created", False), ("updated", True)):
            fields.append({"name": name, "type": "autodate", "onCreate": True, "onUpdate": on_update})
        self.call(
            "POST", "/api/collections", name="tasks", type="base", fields=fields, listRule=mine, viewRule=mine,
            createRule="@request.body.owner = @request.auth.id", updateRule=mine, deleteRule=mine,
            indexes=["CREATE INDEX ix_tasks_owner ON tasks (owner, created)"],
        )  # fmt: skip
        self.call("PATCH", "/api/settings", batch={"enabled": True, "maxRequests": 500, "timeout": 30})
        return [self._user(number) for number in range(users)]

    def fill(self, users: list[dict[str, str]], tasks: list[list[dict[str, object]]]) -> None:
        """Writes the rows straight into its file, while the server is stopped."""
        with sqlite3.connect(self.folder / "data.db") as connection:
            columns = ["id", "owner", "created", "updated", *FIELDS]
            marks = ", ".join("?" * len(columns))
            for user, rows in zip(users, tasks, strict=True):
                values = [[row[name] if name != "owner" else user["id"] for name in columns] for row in rows]
                connection.executemany(f"INSERT INTO tasks ({', '.join(columns)}) VALUES ({marks})", values)
        connection.close()

    def _user(self, number: int) -> dict[str, str]:
        email = f"user{number}@example.com"
        self.call("POST", "/api/collections/users/records", email=email, password=PASSWORD, passwordConfirm=PASSWORD)
        signed_in = self.call("POST", "/api/collections/users/auth-with-password", identity=email, password=PASSWORD)
        return {"id": signed_in["record"]["id"], "token": signed_in["token"]}

    def call(self, method: str, path: str, **body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None, method=method)
        request.add_header("Content-Type", "application/json")
        if getattr(self, "_token", None):
            request.add_header("Authorization", self._token)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
