"""Whether an API key looks like one, before it is sent anywhere. What a provider thinks of it, only a call tells."""

from __future__ import annotations

from ..auth.keys import configured_key
from ..errors import ConfigurationError, MissingKeyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..catalog.definition import ProviderDefinition


def check_key(provider: ProviderDefinition, key: str | None, environ: Mapping[str, str]) -> None:
    """Raises `MissingKeyError` where the provider needs a key and there is none, and `ConfigurationError` for one that
    can't be right: with spaces or quotes in it, or with another provider's prefix. The key itself is never shown.
    """
    schemes = [scheme for scheme in provider.auth if scheme.type in ("bearer", "header", "query")]
    names = [name for scheme in schemes for name in scheme.env]
    found, where = key, "api_key"
    if found is None:
        where = next((name for name in names if environ.get(name)), "")
        found = environ.get(where)
    if found is None and configured_key(provider, environ):
        return
    if found is None:
        if len(schemes) < len(provider.auth) or not schemes:
            return  # it may be called without a key, or proves itself in another way
        fix = f"Set {' or '.join(names)}, or pass api_key." if names else "Pass api_key."
        raise MissingKeyError(f"No API key for {provider.title or provider.name}.", fix=fix)
    if problem := _problem(found.strip(), provider):
        raise ConfigurationError(f"The key in {where} {problem}.", fix="Copy it again from the provider's console.")


def _problem(key: str, provider: ProviderDefinition) -> str:
    if not key:
        return "is empty"
    if key.lower().startswith("bearer "):
        return "begins with 'Bearer ', which is added when it is sent"
    if any(mark.isspace() or mark in "\"'" for mark in key):
        return "holds spaces or quotes"
    if not key.isascii() or not key.isprintable():
        return "holds characters that no key has"
    owners = _owners(key)
    if owners and provider.name not in owners:
        return f"has the form of a key of {' or '.join(owners)}, not of {provider.title or provider.name}"
    return ""


def _owners(key: str) -> list[str]:
    """Whose form the key has: those of the longest prefix in `key_prefixes.json`, empty where nobody claims it."""
    import json
    from os import path

    with open(path.join(path.dirname(__file__), "key_prefixes.json"), encoding="utf-8") as file:
        claims: dict[str, list[str]] = json.load(file)
    prefix = max((prefix for prefix in claims if key.startswith(prefix)), key=len, default="")
    return claims.get(prefix, [])
