"""What services say when they refuse, read once for all of them: in JSON, in headers, or in S3's XML. Pure.

Source: "Common errors" in the API references; "Error responses" in the Amazon S3 API Reference.
"""

from __future__ import annotations

import json

from ..._value import Value
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...transport.types import HttpResponse

THROTTLED = frozenset(
    (
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled"),
        *("TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException"),
        *("ProvisionedThroughputExceededException", "ThrottlingError", "SlowDown", "PriorRequestNotComplete"),
        *("TransactionInProgressException", "RequestTimeout", "RequestTimeoutException", "OperationAborted"),
    )
)
"""What passes, and says that nothing was done."""

FIXES = {
    "UnrecognizedClient": "Check the credentials.",
    "InvalidClientTokenId": "Check the credentials.",
    "InvalidAccessKeyId": "Check the credentials.",
    "InvalidSignature": "Check the secret access key, and this machine's clock.",
    "SignatureDoesNotMatch": "Check the secret access key, and this machine's clock.",
    "IncompleteSignature": "Check the credentials.",
    "MissingAuthenticationToken": "Check the credentials.",
    "ExpiredToken": "Get new credentials: these have expired.",
    "RequestExpired": "Set this machine's clock.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
}
"""What to do, by the code without `Exception`."""

DENIED = frozenset(("AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "KMS.AccessDenied"))


class Refusal(Value):
    """What a service says went wrong: its code, its words, and the rest of the body where that is JSON."""

    status: int
    code: str
    said: str
    body: Mapping[str, Any] = EMPTY
    request_id: str = ""


def refusal(response: HttpResponse) -> Refusal:
    """What an answer says went wrong, in JSON as most services say it or in S3's XML."""
    found = response.header("x-amzn-requestid") or response.header("x-amz-request-id") or ""
    named = (response.header("x-amzn-errortype") or "").partition(":")[0]
    text = response.body.lstrip()
    if text.startswith(b"<"):
        code, said = (_element(text, name) for name in (b"Code", b"Message"))
        return Refusal(response.status, code or named, _sentence(said), EMPTY, found)
    try:
        body = json_object(response)
    except (ValueError, RecursionError):
        body = {}
    code = str(body.get("__type") or body.get("code") or body.get("Code") or named)
    said = str(body.get("message") or body.get("Message") or "")
    return Refusal(response.status, code.rpartition("#")[2].partition(":")[0], _sentence(said), body, found)


def _sentence(said: str) -> str:
    return " ".join(said.split()).rstrip(".") or "no reason given"


def _element(text: bytes, name: bytes) -> str:
    """The text of the first element of that name, as S3 writes them: without attributes."""
    _, opened, rest = text.partition(b"<%s>" % name)
    inner = rest.partition(b"</%s>" % name)[0] if opened else b""
    return inner.decode(errors="replace").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def json_object(response: HttpResponse) -> dict[str, Any]:
    """The body's JSON object; none at all is an empty one. Raises `ValueError`."""
    body = json.loads(response.body or b"{}")
    if not isinstance(body, dict):
        raise ValueError
    return body
