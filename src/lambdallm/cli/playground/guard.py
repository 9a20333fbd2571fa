"""Who may talk to the playground: pages of its own on this machine, and nobody else's. Pure.

A browser sends other sites' requests to a loopback address too. The name in `Host` tells a site that has its own name
point here (DNS rebinding), `Origin` and `Sec-Fetch-Site` tell a site that posts from elsewhere, and JSON as the only
content type keeps forms out, which need no permission to cross sites.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...runtime.emulator.listener import HttpRequest

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_PRIVATE_ENDS = (".localhost", ".local", ".internal")
_NUMBERS = re.compile(r"\d+(?:\.\d+){3}|[0-9a-f:.%]*:[0-9a-f:.%]*")


def refusal(request: HttpRequest) -> tuple[int, str] | None:
    """Why a request is refused, as a status and a sentence; `None` where it is not."""
    host = request.header("host")
    if name_of(host) not in _LOOPBACK:
        return 403, f"The playground answers to loopback names alone, not to {host!r}. Open it at http://127.0.0.1."
    if request.header("sec-fetch-site") in ("cross-site", "same-site"):
        return 403, "Another site's page asked for this."
    origin = request.header("origin")
    if origin and origin.partition("://")[2] != host:
        return 403, f"A page of {origin!r} asked for this."
    if request.method == "POST" and _media_type(request) != "application/json":
        return 415, "Send JSON, with Content-Type: application/json."
    return None


def stranger(request: HttpRequest) -> str | None:
    """Why Lambda's API, which shows and changes everything, refuses a request: a web page has sent it.

    Its clients are programs, also in containers and on other machines; a page sends an `Origin`, or comes by a name in
    the public DNS that points here.
    """
    name = name_of(request.header("host"))
    if request.header("origin") or request.header("sec-fetch-site") not in ("", "none", "same-origin"):
        return "A web page asked for this: Lambda's API is for programs."
    if "." in name and not name.endswith(_PRIVATE_ENDS) and not _NUMBERS.fullmatch(name):
        return f"{name!r} is no name of this machine. Call it by its address."
    return None


def name_of(host: str) -> str:
    """The name in a `Host` header, without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _media_type(request: HttpRequest) -> str:
    return request.header("content-type").partition(";")[0].strip().lower()
