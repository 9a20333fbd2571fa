"""Which class is the client of which provider."""

from __future__ import annotations

from .provider_registry import ProviderRegistry

__all__ = ["ProviderRegistry"]
