"""The JSON Schema of `gateway.yaml`, for editors: made from the table that the checks use."""

from __future__ import annotations

from .fields import FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def gateway_schema() -> dict[str, Any]:
    """The schema. In YAML an editor finds it by `# yaml-language-server: $schema=…`, in JSON by `$schema`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gateway.yaml",
        "description": "Settings of a LambdaLLM gateway.",
        **FILE.schema(),
    }
