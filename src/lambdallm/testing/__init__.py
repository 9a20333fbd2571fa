"""Tests without a model, a key or a network: `MockProvider`, `mock_model`, `MockLambdaContext`, `Script`, `World`.

`LocalLambda` runs a function as Lambda does, in a process of its own.
"""

from .local_lambda import FunctionFailedError, LocalLambda
from .mocks import MockCall, MockLambdaContext, MockProvider, mock_model
from .script import Script
from .world import Later, World

__all__ = [
    "FunctionFailedError",
    "Later",
    "LocalLambda",
    "MockCall",
    "MockLambdaContext",
    "MockProvider",
    "Script",
    "World",
    "mock_model",
]
