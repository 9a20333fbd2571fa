"""The documented door to models: `Model`, `ModelConfig`, `ModelResponse`. They live in `llm/models.py`."""

from ..llm.models import Model, ModelConfig, ModelResponse

__all__ = ["Model", "ModelConfig", "ModelResponse"]
