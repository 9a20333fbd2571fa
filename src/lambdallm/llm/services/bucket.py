"""An S3 bucket: objects as bytes by key.

    bucket = S3Bucket("sessions", prefix="prod/")
    yield from bucket.put("7/turn-13", data, if_absent=True)
    data = yield from bucket.get("7/turn-13")

Keys are sent and signed byte for byte, each but `/` and the unreserved characters encoded once: `a//b` and `a/../b`
stay what they are.

Source: "GetObject", "PutObject" and "DeleteObject" in the Amazon S3 API Reference; "Virtual hosting of buckets".
"""

from __future__ import annotations

from ..backends.errors import ConditionFailed
from ..types import EMPTY
from .errors import ServiceError
from .regions import named_endpoint
from .service import AwsService, ServiceFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...transport.types import HttpResponse
    from ..backends.errors import BackendError
    from ..flow import Flow
    from .refusals import Refusal

MOST_PUT_BYTES = 5 * 1024**3
"""What one request may put."""

_MOST_KEY_BYTES = 1024


def _condition_failed(_refusal: Refusal, message: str) -> BackendError:
    return ConditionFailed(message, {})


S3 = ServiceFacts(
    title="S3",
    name="s3",
    variable="S3",
    passing=frozenset(("InternalError", "ServiceUnavailable", "ConditionalRequestConflict")),
    fixes={
        "NoSuchBucket": "Create the bucket, or check its name.",
        "NoSuchKey": "Check the key.",
        "PermanentRedirect": "Name the bucket's own region.",
        "AuthorizationHeaderMalformed": "Name the bucket's own region.",
        "EntityTooLarge": "Put less than 5 GB at a time.",
    },
    errors={"PreconditionFailed": _condition_failed},
)


class S3Bucket:
    """One bucket; keys begin with `prefix`. Raises `ServiceError`, `ConditionFailed` for a put that did not hold.

    Without an endpoint the bucket's name stands in the host, as S3 wants it, unless it has a dot. A missing key reads
    as access denied to a role without s3:ListBucket.
    """

    def __init__(
        self,
        name: str,
        *,
        prefix: str = "",
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 20.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.name, self.prefix = name, prefix
        self._service = AwsService(S3, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter)

    def get(self, key: str) -> Flow[bytes | None]:
        """The bytes under a key; `None` where there is no such key."""
        try:
            response: HttpResponse = yield from self._answer("GetObject", "GET", key)
        except ServiceError as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return response.body

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = EMPTY,
        if_absent: bool = False,
        if_match: str | None = None,
        headers: Mapping[str, str] = EMPTY,
    ) -> Flow[str]:
        """Keep bytes under a key; gives their ETag.

        With `if_absent` only where nothing is, with `if_match` only where what is there has that ETag; such a put is
        not repeated where it may have been done. `headers` are further ones, such as those of encryption.
        """
        sent = {"Content-Type": content_type, **{f"x-amz-meta-{name}": text for name, text in metadata.items()}}
        sent |= headers
        if if_absent:
            sent["If-None-Match"] = "*"
        if if_match is not None:
            sent["If-Match"] = if_match
        again = not if_absent and if_match is None
        response = yield from self._answer("PutObject", "PUT", key, headers=tuple(sent.items()), body=data, again=again)
        return response.header("etag") or ""

    def delete(self, key: str) -> Flow[None]:
        """Delete what is under a key; a key that is not there is fine."""
        yield from self._answer("DeleteObject", "DELETE", key)

    def _answer(self, operation: str, method: str, key: str, **rest: Any) -> Flow[HttpResponse]:
        from ..flow import ENVIRONMENT

        full = self.prefix + key
        if not full or len(full.encode()) > _MOST_KEY_BYTES:
            fix = f"Use 1 to {_MOST_KEY_BYTES} bytes."
            raise ServiceError(f"{full!r:.80} is no key of S3.", fix=fix, retryable=False, refused=True)
        environ = yield ENVIRONMENT
        in_path = "." in self.name or named_endpoint(S3.variable, self._service.endpoint, environ) is not None
        path = f"/{self.name}/{_encoded(full)}" if in_path else f"/{_encoded(full)}"
        host = "" if in_path else f"{self.name}."
        where = f"{self.name}/{full}"
        answer: HttpResponse = yield from self._service.answer(operation, method, path, host=host, on=where, **rest)
        return answer

    def __repr__(self) -> str:
        return f"S3Bucket({self.name!r})"


def _encoded(key: str) -> str:
    from ..auth import percent_encoded

    return percent_encoded(key).replace("%2F", "/")
