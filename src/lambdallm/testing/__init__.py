"""Tests without a model, a key or a network: `MockProvider`, `mock_model`, `MockLambdaContext`, `Script`, `World`."""

from .mocks import MockCall, MockLambdaContext, MockProvider, mock_model
from .script import Script
from .world import Later, World

__all__ = ["Later", "MockCall", "MockLambdaContext", "MockProvider", "Script", "World", "mock_model"]
