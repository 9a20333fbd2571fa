"""The gateway's REST endpoints for keys, as the command calls them. It knows no store: REST is the only way in."""

from __future__ import annotations

import json
import os

from ..llm.drivers import Driver
from ..llm.errors import ConfigurationError, LambdaLLMError
from ..llm.flow import Send
from ..llm.result import Err
from ..transport.types import HttpRequest, Timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..llm.flow import Flow

URL = "LAMBDALLM_GATEWAY_URL"
ADMIN_KEY = "LAMBDALLM_GATEWAY_ADMIN_KEY"
SERVICES = ("lambda", "execute-api")
"""What requests are signed for: a function URL, or an API of API Gateway."""
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_TIMEOUTS = Timeouts(10.0, 30.0, 60.0)


class RefusedError(LambdaLLMError):
    """The gateway did not do what it was asked."""

    fix = ""


class KeysApi:
    """The endpoints at `url`, with the admin key of the environment, or signed for `service` instead.

    The key is in no argument: those are read by everybody on a machine, and kept by shells. Raises
    `ConfigurationError`.
    """

    def __init__(self, url: str | None, service: str | None) -> None:
        found = (url or os.environ.get(URL) or "").rstrip("/")
        if not found.startswith(("https://", "http://")):
            said = f"The gateway's URL is {found!r}." if found else "The gateway's URL is not known."
            raise ConfigurationError(said, fix=f"Pass --url https://…, or set {URL}.")
        self._url, self._service = found.removesuffix("/v1"), service
        self._key = "" if service else os.environ.get(ADMIN_KEY, "")
        if not service and not self._key:
            fix = f"Set {ADMIN_KEY}, or pass --sign lambda or --sign execute-api for a gateway with IAM."
            raise ConfigurationError("There is no admin key.", fix=fix)
        if found.startswith("http://") and _host(found) not in _LOCAL:
            said = f"{found!r} is not encrypted, and everybody on the way could read the admin key."
            raise ConfigurationError(said, fix="Use https://.")

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What an endpoint answers. Raises `RefusedError`, and `LLMError` where there is no answer."""
        driver = Driver()
        try:
            return driver.run(self._asked(method, path, body, query or {}))
        finally:
            driver.close()

    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str]
    ) -> Flow[dict[str, Any]]:
        from urllib.parse import quote, urlencode

        where = self._url + quote(path) + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
        headers += (("Authorization", f"Bearer {self._key}"),) if self._key else ()
        request = HttpRequest(method, where, headers, b"" if body is None else json.dumps(body).encode())
        if self._service:
            from ..llm.auth.aws import signed

            request = yield from signed(request, self._service, os.environ)
        reply = yield Send(request, _TIMEOUTS)
        if isinstance(reply, Err):
            raise reply.error
        return _read(reply.value.status, reply.value.body)

    def __repr__(self) -> str:
        return f"KeysApi({self._url!r})"


def _host(url: str) -> str:
    place = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return place.partition("]")[0] + "]" if place.startswith("[") else place.partition(":")[0]


def _read(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status < 300 and isinstance(answer, dict):
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    said = error.get("message") if isinstance(error, dict) else None
    if said is None and isinstance(answer, dict):  # what AWS says where the signature is not taken
        said = answer.get("message") or answer.get("Message")
    raise RefusedError(f"{said or 'What is there is no gateway of LambdaLLM; check the URL.'} (HTTP {status})")
