"""Which service an event comes from, by its shape.

Sources: the AWS Lambda Developer Guide's page of each service, the API Gateway guide on payload formats 1.0 and 2.0.
"""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    Kind = Literal[
        "api_gateway_v1", "api_gateway_v2", "function_url", "alb", "sqs", "sns", "s3", "kinesis", "dynamodb",
        "eventbridge", "direct",
    ]  # fmt: skip

HTTP_KINDS = ("api_gateway_v1", "api_gateway_v2", "function_url", "alb")

BATCH_KINDS = ("sqs", "kinesis", "dynamodb")
"""Kinds whose records Lambda reads itself, and hands out again in batches of its own making."""
RETRIED_KINDS = (*BATCH_KINDS, "sns", "s3", "eventbridge")
"""Kinds that nobody waits for: Lambda hands out again what failed."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The mapping without anything, a default that values share."""

_BY_SOURCE: dict[str, Kind] = {
    "aws:sqs": "sqs", "aws:sns": "sns", "aws:s3": "s3", "aws:kinesis": "kinesis", "aws:dynamodb": "dynamodb",
}  # fmt: skip


def kind_of(event: Any) -> Kind:
    """The kind of an event. What no service marks is `direct`: an invocation by hand, a Step Functions task."""
    if not isinstance(event, dict) or event.get("methodArn") or event.get("routeArn"):  # an authorizer's
        return "direct"
    context = event.get("requestContext")
    if isinstance(context, dict):
        return _http_kind(event, context)
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        source = records[0].get("eventSource") or records[0].get("EventSource")
        return _BY_SOURCE.get(str(source), "direct")
    return "eventbridge" if "detail-type" in event and "detail" in event else "direct"


def _http_kind(event: dict[str, Any], context: dict[str, Any]) -> Kind:
    if "elb" in context:
        return "alb"
    if "http" in context:
        return "function_url" if _is_url(context) else "api_gateway_v2"
    return "api_gateway_v1" if "httpMethod" in event else "direct"


def _is_url(context: dict[str, Any]) -> bool:
    """Whether a request came through a function URL: by its domain, or, from cargo-lambda, by having no API."""
    domain = str(context.get("domainName"))
    return ".lambda-url." in domain or (domain == "localhost" and not context.get("apiId"))
