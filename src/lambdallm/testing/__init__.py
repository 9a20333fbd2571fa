"""Tests without a model, a key or a network: `MockProvider`, `mock_model`, `MockLambdaContext`, `Script`."""

from .mocks import MockCall, MockLambdaContext, MockProvider, mock_model
from .script import Script

__all__ = ["MockCall", "MockLambdaContext", "MockProvider", "Script", "mock_model"]
