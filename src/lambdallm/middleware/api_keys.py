"""API keys, known by their hashes alone, compared in constant time.

Keys are long random texts, so one round of SHA-256 keeps them: nobody guesses 256 bits. What is stored can't be sent.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from .kept import Kept, is_elsewhere, value_of
from .principal import Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from ..llm.flow import Flow

    Hashes: TypeAlias = Mapping[str, str | Sequence[str]]

_MARK = "sha256:"


class ApiKeys:
    """The keys of callers, by the caller's name: a hash, or several while keys are being changed.

        ApiKeys({"ci": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})
        ApiKeys("secret:prod/api-keys")     # a JSON object of hashes, in Secrets Manager or SSM

    A named secret is read, or a function called, when keys are first needed, and again every `kept_seconds`; the
    function may be asynchronous in handlers that are. `hashed` makes the hash of a key. Raises `ConfigurationError` for
    what is no hash.
    """

    def __init__(self, hashes: Hashes | str | Callable[[], Any], *, kept_seconds: float = 300.0) -> None:
        self._hashes: Kept[list[tuple[str, bytes]]] = Kept(lambda: _read(hashes, kept_seconds), kept_seconds)
        if not is_elsewhere(hashes):
            _checked(hashes)

    def verify(self, token: str) -> Flow[Principal | None]:
        """Whose key it is; `None` if nobody's. All hashes are compared, wherever one fits."""
        from hmac import compare_digest

        shown = bytes.fromhex(self.hashed(token)[len(_MARK) :])
        owner: str | None = None
        for name, kept in (yield from self._hashes.get()):
            if compare_digest(shown, kept):
                owner = name
        return None if owner is None else Principal(owner, "api_key")

    @staticmethod
    def hashed(key: str) -> str:
        """What is stored of a key: `sha256:` and 64 hexadecimal digits."""
        from hashlib import sha256

        return _MARK + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

    def __repr__(self) -> str:
        return "ApiKeys(…)"


def _read(source: Any, kept_seconds: float) -> Flow[list[tuple[str, bytes]]]:
    return _checked(_parsed((yield from value_of(source, kept_seconds))))


def _parsed(found: Any) -> Any:
    """What was found, read as JSON where it is text. What is none is left as it is, and quoted nowhere."""
    import json

    try:
        return json.loads(found) if isinstance(found, (str, bytes)) else found
    except ValueError:
        return found


def _checked(hashes: Any) -> list[tuple[str, bytes]]:
    if not hasattr(hashes, "items"):
        kind = type(hashes).__name__
        raise ConfigurationError(f"The API keys are a {kind}.", fix="Give hashes by the caller's name.")
    several = ((name, (given,) if isinstance(given, str) else given) for name, given in hashes.items())
    return [(name, _digest(name, one)) for name, given in several for one in given]


def _digest(name: str, given: Any) -> bytes:
    """A hash's bytes. What is no hash may be the key itself, and is not quoted."""
    try:
        digest = bytes.fromhex(given.removeprefix(_MARK))
    except (ValueError, AttributeError):
        digest = b""
    if len(digest) != 32:
        fix = "Store ApiKeys.hashed(key), never the key."
        raise ConfigurationError(f"What is stored as the API key of {name!r} is no SHA-256 hash.", fix=fix)
    return digest
