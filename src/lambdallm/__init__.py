"""LambdaLLM: language models behind AWS Lambda.

    from lambdallm import Model, Prompt, handler

Importing this costs next to nothing: every name is found when it is first used (PEP 562).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._version import __version__
    from .chains.chain import Chain
    from .chains.result import ChainResult
    from .chains.step import Map, Parallel, Step
    from .core.config import Config, load_config
    from .core.context import LambdaLLMContext
    from .core.handler import handler
    from .core.prompt import Prompt
    from .core.prompts.registry import PromptRegistry
    from .core.router import CostAwareRouter
    from .core.streaming import StreamingResponse
    from .core.warm import warm
    from .llm.clients.wire import AsyncWireClient, WireClient
    from .llm.errors import AIError, LambdaLLMError, LLMError
    from .llm.models import Model, ModelConfig, ModelResponse
    from .llm.result import Err, Ok
    from .llm.types import ChatMessage, ChatRequest, Completion, StreamChunk, Usage
    from .middleware.base import Middleware
    from .middleware.cost import CostTrackingMiddleware
    from .middleware.logging import LoggingMiddleware
    from .providers.base import BaseProvider
    from .providers.bedrock import BedrockProvider
    from .providers.registry import register_provider
    from .runtime.request import Request
    from .runtime.response import Response
    from .state.session import MemoryStrategy, Session

try:
    _packed = open(f"{__path__[0]}/image.bin", "rb", buffering=0)  # noqa: SIM115  # it is read as modules are imported
except OSError:
    pass  # as anywhere but in what `lambdallm build` has made
else:
    from ._image import mount

    mount(_packed, __path__[0])

_HOMES = {
    "__version__": "_version",
    "Chain": "chains.chain",
    "ChainResult": "chains.result",
    "Map": "chains.step",
    "Parallel": "chains.step",
    "Step": "chains.step",
    "Config": "core.config",
    "load_config": "core.config",
    "LambdaLLMContext": "core.context",
    "handler": "core.handler",
    "Prompt": "core.prompt",
    "PromptRegistry": "core.prompts.registry",
    "CostAwareRouter": "core.router",
    "warm": "core.warm",
    "StreamingResponse": "core.streaming",
    "AsyncWireClient": "llm.clients.wire",
    "WireClient": "llm.clients.wire",
    "AIError": "llm.errors",
    "LambdaLLMError": "llm.errors",
    "LLMError": "llm.errors",
    "Model": "llm.models",
    "ModelConfig": "llm.models",
    "ModelResponse": "llm.models",
    "Err": "llm.result",
    "Ok": "llm.result",
    "ChatMessage": "llm.types",
    "ChatRequest": "llm.types",
    "Completion": "llm.types",
    "StreamChunk": "llm.types",
    "Usage": "llm.types",
    "Middleware": "middleware.base",
    "CostTrackingMiddleware": "middleware.cost",
    "LoggingMiddleware": "middleware.logging",
    "BaseProvider": "providers.base",
    "MemoryStrategy": "state.session",
    "Session": "state.session",
    "BedrockProvider": "providers.bedrock",
    "register_provider": "providers.registry",
    "Request": "runtime.request",
    "Response": "runtime.response",
}

__all__ = [  # noqa: RUF022  # in the order a reader meets them
    "handler", "LambdaLLMContext", "Prompt", "PromptRegistry", "Model", "ModelConfig", "ModelResponse", "Config",
    "load_config", "Chain", "Step", "Parallel", "Map", "ChainResult", "Session", "MemoryStrategy", "Middleware",
    "LoggingMiddleware", "CostTrackingMiddleware", "Request", "Response", "StreamingResponse", "CostAwareRouter",
    "BaseProvider", "BedrockProvider", "register_provider", "warm",
    "WireClient", "AsyncWireClient", "ChatMessage", "ChatRequest", "Completion", "StreamChunk", "Usage", "Ok", "Err",
    "LambdaLLMError", "AIError", "LLMError", "__version__",
]  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{home}", fromlist=[name])
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
