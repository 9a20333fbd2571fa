"""Foreign failures as errors of the client library: what transports and other people's functions raise is mapped here,
once."""

from __future__ import annotations

from ...transport.errors import ConnectError, ProtocolError, TlsError, TransportError, WaitTimeout
from ..errors import (
    ConfigurationError,
    InternalError,
    LambdaLLMError,
    LLMError,
    ProviderConnectionError,
    ProviderResponseError,
    ProviderTimeoutError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_llm_error(error: LLMError | OSError, seconds: float | None = None) -> LLMError:
    """What a function that is not ours raised for a reason that is the provider's or the network's.

    Raises what is an error of ours already, and no call's: that the deadline has passed is no silence of a provider.
    """
    if isinstance(error, LLMError):
        return error
    if isinstance(error, LambdaLLMError):
        raise error
    if isinstance(error, TimeoutError):
        return ProviderTimeoutError(str(error) or f"Nothing came for {seconds} s.")
    return ProviderConnectionError(f"The connection failed: {error}")


def imported(path: str) -> Any:
    """The object that `package.module:name` names. Raises `InternalError` for a path that leads nowhere."""
    from importlib import import_module

    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InternalError(
            f"{path!r} can't be imported: {error}", fix="Correct the path in the definition."
        ) from error


def mapped(error: TransportError | ValueError, url: str) -> LLMError:
    """A transport's failure as an error of the client library.

    Raises `ConfigurationError` for a request that can't be sent by anybody: a bad URL, a line break in a header.
    """
    from ...transport.types import redact_url

    if isinstance(error, ValueError):
        raise ConfigurationError(str(error), fix="Correct the endpoint or the header.") from error

    where = f" at {redact_url(url)}" if url else ""
    if isinstance(error, WaitTimeout):
        return ProviderTimeoutError(f"No answer in time{where}: {error}")
    if isinstance(error, TlsError):
        return ProviderConnectionError(f"{error}{where}", retryable=False, fix=_TLS_FIX)
    if isinstance(error, ConnectError):
        return ProviderConnectionError(f"Can't connect{where}: {error}")
    if isinstance(error, ProtocolError):
        return ProviderResponseError(f"The answer is not HTTP{where}: {error}")
    return ProviderConnectionError(f"The connection broke{where}: {error}", retryable=True)


_TLS_FIX = "Check the endpoint's certificate; name a private authority with SSL_CERT_FILE."
