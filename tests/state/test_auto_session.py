"""The id of a session is found where it is configured, checked, and told to whoever does not know it yet."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import ConfigurationError, UnauthorizedError
from lambdallm.state import MemoryStateStore, Session, SessionIdError
from lambdallm.state.auto_session import DEFAULT_SOURCES, Sent, key_of, new_id, source_of

PATH = {"pathParameters": {"sid": "12"}}
EVENTS = {
    "API Gateway v1 and ALB": {
        "headers": {"X-Session-Id": "7", "Cookie": "a=1; session_id=8; b=2"},
        "queryStringParameters": {"sid": "9"},
        "body": '{"session_id": "10", "user": {"id": 11}}',
        "requestContext": {"authorizer": {"claims": {"sub": "ada"}}},
    },
    "several values": {
        "multiValueHeaders": {"x-session-id": ["7", "no"], "cookie": ["a=1", "session_id=8"]},
        "multiValueQueryStringParameters": {"sid": ["9"]},
        "body": base64.b64encode(b'{"session_id": "10", "user": {"id": 11}}').decode(),
        "isBase64Encoded": True,
        "requestContext": {"authorizer": {"claims": {"sub": "ada"}}},
    },
    "API Gateway v2 and Function URL": {
        "headers": {"x-session-id": "7"},
        "cookies": ["a=1", 'session_id="8"'],
        "queryStringParameters": {"sid": "9"},
        "body": {"session_id": "10", "user": {"id": 11}},
        "requestContext": {"authorizer": {"claims": {"sub": "ada"}}},
    },
}


@pytest.mark.parametrize("event", [event | PATH for event in EVENTS.values()], ids=EVENTS)
@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("header:x-session-id", "7"),
        ("header:X-SESSION-ID", "7"),
        ("cookie:session_id", "8"),
        ("query:sid", "9"),
        ("body:session_id", "10"),
        ("body:user.id", "11"),
        ("path:sid", "12"),
        ("event:requestContext.authorizer.claims.sub", "ada"),
    ],
)
def test_ids_are_found_where_events_have_them(event, source, found):
    assert Session("memory", id_from=source).opened(event).id == found


@pytest.mark.parametrize("source", ["header:x", "cookie:x", "query:x", "body:x", "event:x"])
@pytest.mark.parametrize(
    "event",
    [
        {}, None, [], "text", {"headers": None, "cookies": None, "queryStringParameters": None, "body": None},
        {"body": "no json"}, {"body": "[1]"}, {"body": "\ud800", "isBase64Encoded": True}, {"headers": [], "x": ""},
        {"cookies": "x=1", "multiValueHeaders": {"x": None}, "body": {"x": None}}, {"body": "[" * 100_000},
    ],
)  # fmt: skip
def test_where_there_is_none_a_new_one_is_made(event, source):
    session = Session("memory", id_from=source).opened(event)
    assert len(session.id) == 24
    assert session.id != Session("memory", id_from=source).opened(event).id


def test_of_several_places_the_first_that_has_one_decides():
    both = Session("memory", id_from=("cookie:sid", "header:x-sid"))
    assert both.opened({"headers": {"x-sid": "h", "cookie": "sid=c"}}).id == "c"
    assert both.opened({"headers": {"x-sid": "h"}}).id == "h"


def test_the_usual_places():
    assert DEFAULT_SOURCES == ("header:x-session-id", "cookie:session_id", "body:session_id", "event:session_id")
    assert Session("memory").opened({"session_id": "direct"}).id == "direct"


@pytest.mark.parametrize("id", ["../other", "a b", "x" * 500, "ä", ["7"], {"id": 7}, True])
def test_what_can_t_be_an_id_is_refused_and_not_replaced(id):
    with pytest.raises(SessionIdError):
        Session("memory").opened({"session_id": id})


def test_a_new_id_is_told_in_the_header_it_is_read_from():
    session = Session("memory", id_from=("header:x-sid", "cookie:sid")).opened({})
    assert session.response_headers == {"x-sid": session.id}
    assert Session("memory", id_from="body:sid").opened({}).response_headers == {}
    assert Session("memory").response_headers == {}


def test_or_in_a_cookie_that_scripts_can_t_read():
    session = Session("memory", id_from="cookie:sid", ttl_hours=2).opened({})
    cookie = f"sid={session.id}; Max-Age=7200; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert session.response_headers == {"Set-Cookie": cookie}
    assert "Max-Age" not in Session("memory", ttl_hours=None).opened({}).cookie()


def test_it_is_told_where_the_caller_sent_it():
    event = {"headers": {"cookie": "sid=7"}}
    assert "Set-Cookie" in Session("memory", id_from=("header:x-sid", "cookie:sid")).opened(event).response_headers


def test_each_invocation_has_a_session_of_its_own():
    config = Session(MemoryStateStore())
    first = config.opened({"session_id": "7"})
    first.add_message("user", "Hi")
    second = config.opened({"session_id": "8"})
    assert (config.id, second.messages) == (None, ())
    first.save()
    assert config.opened({"session_id": "7"}).load().format_history() == "User: Hi"


OWNED = Session(MemoryStateStore(), owner="event:requestContext.authorizer.claims.sub")


def event_of(owner, id="7"):
    return {"session_id": id, "requestContext": {"authorizer": {"claims": {"sub": owner}}}}


def test_an_id_alone_does_not_open_somebody_elses_session():
    mine = OWNED.opened(event_of("ada"))
    mine.add_message("user", "a secret")
    mine.save()
    assert OWNED.opened(event_of("ada")).load().format_history() == "User: a secret"
    assert OWNED.opened(event_of("eve")).load().is_new
    assert Session(OWNED.settings.store).opened({"session_id": "7"}).load().is_new


def test_an_owner_may_be_said_by_a_function():
    owned = Session("memory", owner=lambda event, context: context.principal)

    class Context:
        principal = "ada"

    assert owned.opened({}, Context()).load().is_new


def test_an_owner_that_has_to_be_awaited_is_refused():
    async def owner(event, context):
        return "ada"

    with pytest.raises(ConfigurationError, match="is asynchronous"):
        Session("memory", owner=owner).opened({})


@pytest.mark.parametrize("owner", [None, "", {"a": 1}, True])
def test_where_nobody_is_known_the_session_is_refused(owner):
    with pytest.raises(UnauthorizedError, match="Nobody is known"):
        OWNED.opened(event_of(owner))


@given(st.text(max_size=20), st.text(max_size=20), st.text("ab:#", min_size=1, max_size=6))
def test_no_two_owners_share_a_key(one, other, another):
    if one != other:
        assert key_of(another, one) != key_of(another, other)
    assert key_of(another) != key_of(another, one)


def test_ids_that_nobody_has_may_be_refused_silently():
    """So that nobody can be made to use an id that somebody else knows."""
    store = MemoryStateStore()
    strict = Session(store, known_ids_only=True, id_from="cookie:sid")
    session = strict.opened({"cookies": ["sid=planted"]}).load()
    assert session.id != "planted"
    session.add_message("user", "Hi")
    session.save()
    assert strict.opened({"cookies": [f"sid={session.id}"]}).load().format_history() == "User: Hi"
    assert session.id in session.response_headers["Set-Cookie"]


def test_new_ids_can_be_sent_back_in_any_way():
    ids = {new_id() for _ in range(500)}
    assert len(ids) == 500
    for id in ids:
        assert Session("memory").opened({"session_id": id}).id == id


@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_no_event_breaks_the_search(value):
    for kind in ("headers", "multiValueHeaders", "cookies", "body", "queryStringParameters"):
        for source in ("header:a", "cookie:a", "query:a", "body:a.b", "event:a.b"):
            Sent({kind: value}).at(source_of(source))
            Sent({"body": json.dumps(value)}).at(source_of(source))
