"""Idle connections, kept by where they lead.

A connection belongs to the process that opened it: after a fork the child forgets its parent's, and no snapshot of the
process has any. Lists are only appended to and popped from, which is atomic, so threads need no lock.
"""

from __future__ import annotations

import os
from time import monotonic

from .._hooks import kept_out_of_snapshots
from .url import check_target, cut_url, split_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .proxy import Proxy, ProxyRules
    from .url import Url
    from .wire import Wire

MAX_IDLE_SECONDS = 60.0
"""Shorter than the idle limit of the providers' load balancers, so that a reused connection is rarely a dead one."""

_MAX_ROUTES = 1024


class Route:
    """One way to one origin, with its idle connections."""

    __slots__ = ("authority", "forward", "idle", "proxy", "url")

    def __init__(self, url: Url, proxy: Proxy | None) -> None:
        self.url = url
        self.proxy = proxy
        self.authority = url.authority
        self.forward = proxy is not None and url.scheme == "http"
        """Whether the proxy itself is asked for the resource, rather than for a tunnel."""
        self.idle: list[Wire] = []


class Pool:
    """Routes by origin. `proxies=None` reads the environment when a first request is made that it has a proxy for."""

    __slots__ = ("__weakref__", "_closed", "_max_idle", "_pid", "_proxies", "_routes", "_rules")

    def __init__(self, proxies: Mapping[str, str] | None, max_idle: int) -> None:
        self._proxies = proxies
        self._rules: ProxyRules | None = None
        self._max_idle = max_idle
        self._routes: dict[tuple[str, str], Route] = {}
        self._pid = os.getpid()
        self._closed = False
        kept_out_of_snapshots(self)

    def route(self, url: str) -> tuple[Route, str]:
        """The route for an absolute URL, and the target to ask for. Raises `ValueError`."""
        scheme, authority, target = cut_url(url)
        route = self._routes.get((scheme, authority))
        if route is None:
            route = self._add(url, (scheme, authority))
        target = check_target(url, target)
        return route, f"http://{route.authority}{target}" if route.forward else target

    def take(self, route: Route) -> Wire | None:
        """An idle connection that is still open, or `None`."""
        if self._pid != os.getpid():
            self.forget()
        oldest = monotonic() - MAX_IDLE_SECONDS
        while route.idle:
            try:
                wire = route.idle.pop()
            except IndexError:
                return None
            if wire.idle_since >= oldest and wire.is_quiet():
                return wire
            wire.close()
        return None

    def put(self, route: Route, wire: Wire) -> None:
        """Keep a connection for the next request."""
        if self._closed or len(route.idle) >= self._max_idle or wire.pid != os.getpid():
            wire.close()
            return
        wire.idle_since = monotonic()
        route.idle.append(wire)

    def close(self) -> None:
        """Close what is idle, and keep nothing from now on."""
        self._closed = True
        self.forget()

    def forget(self) -> None:
        """Close what is idle."""
        self._pid = os.getpid()
        for route in list(self._routes.values()):
            while route.idle:
                route.idle.pop().close()

    def _add(self, url: str, key: tuple[str, str]) -> Route:
        parts = split_url(url)
        if len(self._routes) >= _MAX_ROUTES:
            self._routes = {k: route for k, route in list(self._routes.items()) if route.idle}
        return self._routes.setdefault(key, Route(parts, self._proxy(parts)))

    def _proxy(self, url: Url) -> Proxy | None:
        """The proxy that settings ask for; the rules are read once, and not even loaded where nothing names one."""
        if self._rules is None:
            if not (self._proxies if self._proxies is not None else _environment_names_one()):
                return None
            from .proxy import rules_from, rules_from_environment

            explicit = self._proxies
            self._rules = rules_from_environment(os.environ) if explicit is None else rules_from(explicit)
        return self._rules.choose(url)


def _environment_names_one() -> bool:
    return any(name[-6:].lower() == "_proxy" for name in os.environ)
