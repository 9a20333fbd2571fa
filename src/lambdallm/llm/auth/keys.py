"""The key for a provider where the call has none: its variables', the project's, then its definition's `secret_path`.

What is named by a reference (`secret:…`) is read where it is kept; see `secrets`. The project's keys are told by
whoever has read its configuration.
"""

from __future__ import annotations

from ..errors import ConfigurationError, MissingKeyError, ProviderConnectionError
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..catalog.definition import ProviderDefinition
    from ..flow import Environ, Flow

_project: list[Mapping[str, str]] = [EMPTY]


def use_keys(keys: Mapping[str, str]) -> None:
    """Take these keys, or references to them, by the names of providers: instead of those told before."""
    _project[0] = keys


def configured_key(provider: ProviderDefinition, environ: Environ) -> str | None:
    """The key, or the reference to it, that is set up apart from the provider's variables; these win where set."""
    if any(environ.get(name) for scheme in provider.auth for name in scheme.env):
        return None
    key = _project[0].get(provider.name)
    if key is None and provider.secret_path:
        key = f"secret:{provider.secret_path.removeprefix('secret:')}"
    return key


def in_clear(key: str, provider: ProviderDefinition) -> Flow[str]:
    """A key as it is sent, read from where it is kept where it is a reference.

    Raises `MissingKeyError` where that can't be read, `ProviderConnectionError` where it may be later.
    """
    if not key.startswith("secret:"):
        return key
    from ..backends.errors import BackendError
    from .secrets import secret_value

    said = f"The key of {provider.title or provider.name} can't be read:"
    try:
        return (yield from secret_value(key))
    except BackendError as error:
        kind = ProviderConnectionError if error.retryable else MissingKeyError
        raise kind(f"{said} {error.message}", fix=error.fix) from error
    except ConfigurationError as error:
        names = [name for scheme in provider.auth for name in scheme.env]
        fix = f"{error.fix.strip()} Or set {' or '.join(names)}." if names else error.fix
        raise MissingKeyError(f"{said} {error.message}", fix=fix.strip()) from error
