"""Making clients from their configuration."""

from __future__ import annotations

from .factories import create_llm_client

__all__ = ["create_llm_client"]
