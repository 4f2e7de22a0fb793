"""The contracts that older front ends speak keep the same ETags and preconditions as v1."""

import pytest

from tests.support.people import Person

CONTRACTS = ["/api/users/{}/todos", "/api/{}/tasks", "/api/v1/{}/tasks"]


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_whoever_writes_in_between_is_not_overwritten(contract: str, ada: Person):
    base = contract.format(ada.id)
    made = await ada.http.post(base, json={"title": "Buy milk"})
    path, seen = f"{base}/{made.json()['id']}", made.headers["etag"]
    await ada.http.patch(path, json={"title": "Buy bread"}, headers={"If-Match": seen})

    for method, to, body in (
        ("PUT", path, {"title": "Buy cheese"}),
        ("PATCH", path, {"title": "Buy cheese"}),
        ("PATCH", f"{path}/complete", {"completed": True}),
        ("DELETE", path, None),
    ):
        for given, status in ((seen, 412), ("nonsense", 400)):
            answer = await ada.http.request(method, to, json=body, headers={"If-Match": given})
            assert answer.status_code == status, (method, to)

    now = await ada.http.get(path)
    assert (now.json()["title"], now.json()["completed"]) == ("Buy bread", False)
    assert (await ada.http.delete(path, headers={"If-Match": now.headers["etag"]})).is_success


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_an_unchanged_task_is_a_304(contract: str, ada: Person):
    base = contract.format(ada.id)
    made = await ada.http.post(base, json={"title": "Buy milk"})
    path, seen = f"{base}/{made.json()['id']}", {"If-None-Match": made.headers["etag"]}

    assert (await ada.http.get(path, headers=seen)).status_code == 304
    await ada.http.patch(path, json={"title": "Buy bread"})
    assert (await ada.http.get(path, headers=seen)).json()["title"] == "Buy bread"
