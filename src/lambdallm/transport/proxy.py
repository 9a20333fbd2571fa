"""Which proxy, if any, a request goes through: the rules of `HTTPS_PROXY` and its kin, as curl and Go read them.

- `HTTPS_PROXY` / `https_proxy` for https, `HTTP_PROXY` / `http_proxy` for http, `ALL_PROXY` / `all_proxy` for both;
  lower case wins. Upper-case `HTTP_PROXY` is ignored where `REQUEST_METHOD` is set: under CGI a client could set it
  with a `Proxy:` header.
- `NO_PROXY` / `no_proxy`: a comma-separated list of names (each covers its subdomains), `host:port`, addresses, CIDR
  ranges, or `*`. Loopback addresses never go through a proxy from the environment, nor do the link-local ones where
  AWS hands out credentials in clear text.
"""

from __future__ import annotations

from .._value import Value
from .errors import ProxyError
from .url import Url, split_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


_ALWAYS_DIRECT = ("localhost", "127.0.0.0/8", "::1", "169.254.0.0/16", "fd00:ec2::/32")


class Proxy(Value):
    """A forward proxy. Its `repr` hides the credentials."""

    host: str
    port: int
    authorization: str | None = None

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


class ProxyRules(Value):
    """Proxies by scheme, and the hosts that are reached directly."""

    http: Proxy | None = None
    https: Proxy | None = None
    exceptions: tuple[str, ...] = ()

    def choose(self, url: Url) -> Proxy | None:
        """The proxy for a request, or `None` for a direct connection."""
        proxy = self.https if url.scheme == "https" else self.http
        if proxy is None or any(_covers(entry, url.host, url.port) for entry in self.exceptions):
            return None
        return proxy


def rules_from(proxies: Mapping[str, str]) -> ProxyRules:
    """Rules from explicit settings: `http`, `https`, `all` are proxy URLs, `no` is a list as in `NO_PROXY`."""
    unknown = set(proxies) - {"http", "https", "all", "no"}
    if unknown:
        raise ValueError(f"proxies has the unknown key {min(unknown)!r}. Use 'http', 'https', 'all' and 'no'.")
    both = proxies.get("all")
    http, https = proxies.get("http") or both, proxies.get("https") or both
    return ProxyRules(_read_proxy(http), _read_proxy(https), _split_list(proxies.get("no") or ""))


def rules_from_environment(environ: Mapping[str, str]) -> ProxyRules:
    """Rules from the customary variables."""
    http = environ.get("http_proxy") or ("" if "REQUEST_METHOD" in environ else environ.get("HTTP_PROXY"))
    named = {"http": http, "https": _either(environ, "https_proxy"), "all": _either(environ, "all_proxy")}
    rules = rules_from({key: value for key, value in named.items() if value})
    exceptions = (*_split_list(_either(environ, "no_proxy")), *_ALWAYS_DIRECT)
    return rules.replace(exceptions=exceptions) if rules.http or rules.https else rules


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _split_list(text: str) -> tuple[str, ...]:
    return tuple(entry.strip().lower() for entry in text.split(",") if entry.strip())


def _read_proxy(text: str | None) -> Proxy | None:
    """A proxy from its URL; `host:port` alone means http."""
    if not text:
        return None
    scheme, mark, rest = text.strip().rpartition("://")
    if mark and scheme.lower() != "http":
        raise ProxyError(f"A proxy reached through {scheme!r} is not supported. Name an http:// proxy instead.")
    user, _, address = rest.rpartition("@")
    url = split_url(f"http://{address}")
    has_port = ":" in address.partition("/")[0].rpartition("]")[2]
    return Proxy(url.host, url.port if has_port else 3128 if not mark else 80, _basic(user) if user else None)


def _basic(user: str) -> str:
    """The value of `Proxy-Authorization` for `name:password`, which may be percent-encoded."""
    import binascii

    name, _, password = user.partition(":")
    return "Basic " + binascii.b2a_base64(_unquote(name) + b":" + _unquote(password), newline=False).decode()


def _unquote(text: str) -> bytes:
    first, *rest = text.split("%")
    out = first.encode()
    for part in rest:
        try:
            out += bytes.fromhex(part[:2]) + part[2:].encode()
        except ValueError:
            out += b"%" + part.encode()
    return out


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an exception names this host."""
    if entry == "*":
        return True
    if "/" in entry:
        return _in_range(entry, host)
    name, wanted_port = _split_port(entry)
    if wanted_port and wanted_port != str(port):
        return False
    name = name.removeprefix("*").removeprefix(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _split_port(entry: str) -> tuple[str, str]:
    """Name and port; an IPv6 address has several colons and carries a port only in brackets."""
    if entry.startswith("["):
        name, _, tail = entry[1:].partition("]")
        return name, tail.removeprefix(":")
    if entry.count(":") > 1:
        return entry, ""
    name, _, port = entry.partition(":")
    return name, port


def _in_range(entry: str, host: str) -> bool:
    """Whether the host is an address inside a CIDR range."""
    base, _, bits = entry.partition("/")
    network, address = _packed(base), _packed(host)
    if not network or len(network) != len(address) or not (bits.isascii() and bits.isdigit()):
        return False
    shift = max(len(network) * 8 - int(bits), 0)
    return int.from_bytes(network, "big") >> shift == int.from_bytes(address, "big") >> shift


def _packed(address: str) -> bytes:
    """An address as bytes; empty when it is a name."""
    import socket

    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return b""
