"""A client that openapi-python-client generates: it creates, pages, toggles without a body, and reads a problem."""

import json
import sys

from taskwell_client import AuthenticatedClient
from taskwell_client.api.tasks import tasks_bulk, tasks_complete, tasks_create, tasks_list
from taskwell_client.models import (
    BulkBody,
    CreateOperation,
    NewTask,
    PriorityName,
    Problem,
    StateOperation,
    StateOperationOp,
)

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)

made = tasks_create.sync(client=client, body=NewTask(title="Buy milk"))
tasks_create.sync(client=client, body=NewTask(title="Buy tea", priority=PriorityName.HIGH))
first = tasks_list.sync(client=client, limit=1)
second = tasks_list.sync(client=client, limit=1, cursor=first.next_cursor)
toggled = tasks_complete.sync(made.id, client=client)
operations = [
    StateOperation(op=StateOperationOp.REOPEN, id=made.id),
    CreateOperation(op="create", data=NewTask(title="Buy oats")),
]
bulk = tasks_bulk.sync(client=client, body=BulkBody(operations=operations))
refused = tasks_create.sync(client=client, body=NewTask(title=""))
assert isinstance(refused, Problem)

print(  # noqa: T201
    json.dumps(
        {
            "made": made.title,
            "pages": [first.items[0].title, second.items[0].title],
            "toggled": toggled.completed,
            "bulk": [each.status for each in bulk.results],
            "problem": [refused.code.value, refused.errors[0].field],
        }
    )
)
