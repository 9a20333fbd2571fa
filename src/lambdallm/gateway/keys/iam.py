"""The AWS principal that signed a request, as API Gateway or a function URL with IAM authorisation tells it.

Only the event says so, never a header. Whoever may invoke the function directly writes events, and can say anything
there: give `lambda:InvokeFunction` to the API alone.

Source: "Working with AWS Lambda proxy integrations" (payload formats 1.0 and 2.0); "Invoking Lambda function URLs".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def caller_arn(event: Mapping[str, Any]) -> str:
    """The ARN in a Lambda event; empty where its way in asked for no signature."""
    context = event.get("requestContext")
    authorizer = _part(context, "authorizer")
    found = _part(authorizer, "iam").get("userArn") or _part(context, "identity").get("userArn")
    return found if isinstance(found, str) else ""


def _part(given: Any, name: str) -> Mapping[str, Any]:
    part = given.get(name) if isinstance(given, dict) else None
    return part if isinstance(part, dict) else {}
