"""Parts of an event by name."""

from types import SimpleNamespace

import pytest

from lambdallm.llm.errors import ConfigurationError
from lambdallm.middleware.parts import reader

from .worlds import http, http_v1

ADA = SimpleNamespace(principal=SimpleNamespace(id="ada"))
NOBODY = SimpleNamespace()
BODY = '{"order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}}'


@pytest.mark.parametrize("event", [http(body=BODY, x_tenant="t"), http_v1(body=BODY, x_tenant="t")])
@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("header:X-TENANT", "t"),
        ("header:x-other", None),
        ("body.order.id", 7),
        ("body.order.lines[1].sku", "b"),
        ("body.order.lines[2].sku", None),
        ("body.order.lines.sku", None),
        ("body[0]", None),
        ("ip", "192.0.2.7"),
        ("principal", "ada"),
        ("requestContext.requestId", "gw-1"),
        ("nothing.here", None),
        (("principal", "body.order.id"), ["ada", 7]),
        (("principal", "header:none"), None),
        (lambda event, context: context.principal.id * 2, "adaada"),
    ],
)
def test_parts_of_requests(event, part, value):
    assert reader(part)(event, ADA) == value


def test_parts_of_other_events():
    event = {"detail": {"ids": [[1], [2]]}, "body": {"a": 1}}
    assert reader("detail.ids[1][0]")(event, NOBODY) == 2
    assert reader("body.a")(event, NOBODY) == 1
    assert reader("event")(event, NOBODY) is event
    assert reader("event.detail.ids[0]")(event, NOBODY) == [1]
    assert [reader(name)(event, NOBODY) for name in ("ip", "principal", "header:x")] == [None, None, None]


def test_a_body_in_base64():
    assert reader("body.a")({**http(body="eyJhIjogMX0="), "isBase64Encoded": True}, NOBODY) == 1


@pytest.mark.parametrize("part", ["", "a..b", "a[x]", "a[1", "a]1", "cookie:x", "header:", 3, (), None, [""]])
def test_names_that_mean_nothing(part):
    with pytest.raises(ConfigurationError):
        reader(part)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:51234", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:51234", "2001:db8::1"),
    ],
)
def test_a_client_s_port_is_no_part_of_its_address(forwarded, address):
    """A load balancer can be told to add it; a limit by address would count every connection anew."""
    event = {"httpMethod": "GET", "headers": {"x-forwarded-for": forwarded}, "requestContext": {"elb": {}}}
    assert reader("ip")(event, NOBODY) == address
