"""The keys over REST, through the whole application."""

import json

import pytest

from both_drivers import blocking
from lambdallm.gateway.app import Gateway
from lambdallm.gateway.http import GatewayRequest
from lambdallm.gateway.keys import KEY_ROUTES, Admins, Keys
from lambdallm.llm.backends.errors import BackendError
from lambdallm.runtime.request import Headers
from lambdallm.state import MemoryStateStore

ADMIN_KEY = "vX2-pQ9sKd7Lr0TnZb4Wm8Jc6Hf1Gy3Ue5"


class Api:
    """A gateway as an administrator has it."""

    def __init__(self, store, run=blocking, audit=None):
        self.keys = Keys(store, admins=Admins({"erin": ADMIN_KEY}), audit=audit)
        self.gateway, self.run = Gateway(keys=self.keys, routes=KEY_ROUTES), run

    def ask(self, method, path, body=None, *, key=ADMIN_KEY, query=(), **more):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        pairs = [("authorization", f"Bearer {key}")] if key else []
        request = GatewayRequest(method, path, Headers(pairs), tuple(query), data, "10.0.0.1", "request-1", **more)
        reply = self.run(self.gateway.handle(request))
        return reply.status, json.loads(reply.body)

    def error(self, *arguments, **more):
        status, body = self.ask(*arguments, **more)
        return status, body["error"]["code"], body["error"].get("param")

    def create(self, user="alice", **fields):
        status, body = self.ask("POST", "/keys", {"user": user, **fields})
        assert status == 201, body
        return body


@pytest.fixture
def api(memory_store):
    return Api(memory_store)


def life_of_a_key(api):
    """From making it to the audit of its end."""
    made = api.create(name="laptop", models=["gpt-*"], requests_per_minute=60, expires_in_seconds=3600)
    key, id = made["key"], made["id"]
    assert (made["user"], made["status"], made["models"]) == ("alice", "active", ["gpt-*"])
    assert api.ask("GET", "/v1/models", key=key)[0] == 200

    status, shown = api.ask("GET", f"/keys/{id}")
    assert (status, shown) == (200, {name: value for name, value in made.items() if name != "key"})

    status, changed = api.ask("PATCH", f"/keys/{id}", {"requests_per_minute": None, "labels": {"team": "a"}})
    assert (status, changed["requests_per_minute"], changed["labels"]) == (200, None, {"team": "a"})

    status, rotated = api.ask("POST", f"/keys/{id}/rotate", {"overlap_seconds": 60})
    assert (status, rotated["id"]) == (200, id)
    assert {api.ask("GET", "/v1/models", key=one)[0] for one in (key, rotated["key"])} == {200}

    status, revoked = api.ask("POST", f"/keys/{id}/revoke")
    assert (status, revoked["status"]) == (200, "revoked")
    assert api.ask("GET", "/v1/models", key=rotated["key"])[0] == 401

    status, audit = api.ask("GET", f"/keys/{id}/audit")
    assert [one["action"] for one in audit["data"]] == ["revoke", "rotate", "update", "create"]
    assert {(one["by"], one["outcome"], one["request_id"]) for one in audit["data"]} == {("erin", "done", "request-1")}
    assert key not in str(audit)


def test_the_life_of_a_key_in_memory(memory_store, run):
    life_of_a_key(Api(memory_store, run))


def test_the_life_of_a_key_in_sqlite(sqlite_store, run):
    life_of_a_key(Api(sqlite_store, run))


def test_the_life_of_a_key_in_cognito(cognito_store, run):
    life_of_a_key(Api(cognito_store, run, MemoryStateStore()))


def test_cognito_lists_pages_too(cognito_store):
    api = Api(cognito_store, audit=MemoryStateStore())
    ids = {api.create(f"user{number}")["id"] for number in range(3)}
    _, first = api.ask("GET", "/keys", query=[("limit", "2")])
    _, rest = api.ask("GET", "/keys", query=[("limit", "2"), ("after", first["next"])])
    assert ({one["id"] for one in first["data"] + rest["data"]}, rest["next"]) == (ids, None)


def test_administrators_are_told_why_the_store_fails(api):
    def fails(*_):
        raise BackendError("The table keys-prod is gone.")
        yield

    api.keys.store.enrol = api.keys.store.page = fails
    for method, body in (("POST", {"user": "a"}), ("GET", None)):
        assert api.error(method, "/keys", body)[:2] == (503, "key_store_unavailable")
        assert "keys-prod" in api.ask(method, "/keys", body)[1]["error"]["message"]


def test_keys_are_listed_by_page_and_by_user(api):
    ids = [api.create(user)["id"] for user in ("a", "a", "b", "c")]
    status, first = api.ask("GET", "/keys", query=[("limit", "2")])
    assert (status, [one["id"] for one in first["data"]]) == (200, ids[:3])
    _, rest = api.ask("GET", "/keys", query=[("limit", "2"), ("after", first["next"])])
    assert ([one["id"] for one in rest["data"]], rest["next"]) == (ids[3:], None)
    assert [one["id"] for one in api.ask("GET", "/keys", query=[("user", "a")])[1]["data"]] == ids[:2]
    assert api.ask("GET", "/keys", query=[("user", "nobody")])[1]["data"] == []


def test_the_audit_of_all_keys_is_found_by_user(api):
    api.create("a")
    api.create("b")
    assert [one["user"] for one in api.ask("GET", "/keys/audit")[1]["data"]] == ["b", "a"]
    assert [one["user"] for one in api.ask("GET", "/keys/audit", query=[("user", "a")])[1]["data"]] == ["a"]


def test_delete_revokes(api):
    id = api.create()["id"]
    assert api.ask("DELETE", f"/keys/{id}")[1]["status"] == "revoked"


EVERY = [
    ("POST", "/keys"), ("GET", "/keys"), ("GET", "/keys/audit"), ("GET", "/keys/x.y"), ("PATCH", "/keys/x.y"),
    ("DELETE", "/keys/x.y"), ("GET", "/keys/x.y/audit"), ("POST", "/keys/x.y/rotate"), ("POST", "/keys/x.y/revoke"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_only_administrators_may(api, method, path):
    key = api.create()["key"]
    assert api.error(method, path, {"user": "a"}, key=key)[:2] == (403, "admin_only")
    assert api.error(method, path, {"user": "a"}, key="")[:2] == (401, "missing_api_key")
    assert api.error(method, path, {"user": "a"}, key=ADMIN_KEY + "x")[:2] == (401, "invalid_api_key")


def test_every_route_is_in_the_list_above():
    assert [(route.method, route.pattern.replace("{id}", "x.y")) for route in KEY_ROUTES] == EVERY


def test_a_principal_of_iam_may_and_is_written_down(memory_store):
    api = Api(memory_store)
    arn = "arn:aws:iam::123456789012:user/sam"
    api.keys.admins = Admins(arns=[arn])
    assert api.ask("POST", "/keys", {"user": "a"}, key="", caller_arn=arn)[0] == 201
    assert api.ask("GET", "/keys/audit", key="", caller_arn=arn)[1]["data"][0]["by"] == arn


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "user"), ({"user": ""}, "user"), ({"user": 7}, "user"), ({"user": "a b"}, "user"),
        ({"user": "a\n"}, "user"), ({"user": "x" * 129}, "user"), ({"user": "a", "nmae": "x"}, "nmae"),
        ({"user": "a", "name": 7}, "name"), ({"user": "a", "models": "gpt"}, "models"),
        ({"user": "a", "models": [1]}, "models"), ({"user": "a", "models": ["a"] * 51}, "models"),
        ({"user": "a", "requests_per_minute": 0}, "requests_per_minute"),
        ({"user": "a", "requests_per_minute": 1.5}, "requests_per_minute"),
        ({"user": "a", "requests_per_minute": True}, "requests_per_minute"),
        ({"user": "a", "tokens_per_minute": "10"}, "tokens_per_minute"),
        ({"user": "a", "daily_budget_usd": -1}, "daily_budget_usd"),
        ({"user": "a", "monthly_budget_usd": float("inf")}, "monthly_budget_usd"),
        ({"user": "a", "monthly_budget_usd": float("nan")}, "monthly_budget_usd"),
        ({"user": "a", "labels": {"a": 1}}, "labels"), ({"user": "a", "labels": []}, "labels"),
        ({"user": "a", "expires_at": 1}, "expires_at"), ({"user": "a", "expires_at": 10**13}, "expires_at"),
        ({"user": "a", "expires_at": 10**10, "expires_in_seconds": 5}, "expires_in_seconds"),
        ({"user": "a", "admin": True}, "admin"), ({"user": "a", "hash": "x"}, "hash"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_by_name(api, fields, param):
    assert api.error("POST", "/keys", fields)[::2] == (400, param)
    assert api.ask("GET", "/keys/audit")[1]["data"] == []


def test_a_mistyped_field_is_told_the_right_one(api):
    assert (
        "requests_per_minute" in api.ask("POST", "/keys", {"user": "a", "request_per_minute": 5})[1]["error"]["message"]
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(api, body):
    assert api.ask("POST", "/keys", body)[0] == 400


@pytest.mark.parametrize("overlap", [-1, 1.5, "60", True, 30 * 86_400 + 1, None])
def test_an_overlap_that_can_not_be_is_refused(api, overlap):
    id = api.create()["id"]
    assert api.error("POST", f"/keys/{id}/rotate", {"overlap_seconds": overlap})[::2] == (400, "overlap_seconds")


def test_a_rotation_without_a_body_overlaps_a_day(api):
    made = api.create()
    _, rotated = api.ask("POST", f"/keys/{made['id']}/rotate")
    assert abs(rotated["old_secret_until"] - rotated["created_at"] - 86_400) < 60


@pytest.mark.parametrize("query", [("limit", "0"), ("limit", "61"), ("limit", "x"), ("after", "x"), ("usr", "a")])
def test_a_query_that_can_not_be_is_refused(api, query):
    assert api.error("GET", "/keys", query=[query])[::2] == (400, query[0])


@pytest.mark.parametrize("query", [("month", "2026"), ("before", "x"), ("limit", "201"), ("who", "a")])
def test_a_query_of_the_audit_that_can_not_be_is_refused(api, query):
    assert api.error("GET", "/keys/audit", query=[query])[::2] == (400, query[0])


def test_a_key_that_is_not_there_is_404(api):
    assert api.error("GET", "/keys/YWxpY2U.bnVtYmVy")[:2] == (404, "key_not_found")
    assert api.error("PATCH", "/keys/nonsense", {"name": "x"})[:2] == (404, "key_not_found")


def test_nothing_to_change_is_refused(api):
    assert api.ask("PATCH", f"/keys/{api.create()['id']}", {})[0] == 400


def test_answers_are_kept_by_no_cache(api):
    request = GatewayRequest("POST", "/keys", Headers([("x-api-key", ADMIN_KEY)]), (), b'{"user": "a"}')
    headers = blocking(api.gateway.handle(request)).headers
    assert [value for name, value in headers if name == "cache-control"] == ["no-store"]


def test_a_gateway_without_keys_has_none_to_manage():
    gateway = Gateway(routes=KEY_ROUTES)
    assert blocking(gateway.handle(GatewayRequest("GET", "/keys"))).status == 404
