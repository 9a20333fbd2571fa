"""What an import pulls in decides a cold start. The lists are closed: a new name in them needs a reason."""

import subprocess
import sys

import pytest

CHEAP = {
    "__future__",
    "keyword",
    "operator",
    "reprlib",
    "types",
    "enum",
    "functools",
    "collections",
    "re",
    "json",
    "abc",
}
CHEAP |= {
    "os",
    "posixpath",
    "stat",
    "_stat",
    "genericpath",
    "_functools",
    "_collections",
    "_operator",
    "_sre",
    "_json",
    "itertools",
    "copyreg",
    "time",
    "_collections_abc",
}
NEVER = {
    "asyncio", "http", "http.client", "email", "urllib", "urllib.parse", "urllib.request", "ssl", "socket", "logging",
    "dataclasses", "inspect", "typing", "threading", "datetime", "uuid", "subprocess", "importlib.metadata", "random",
    "boto3", "botocore", "yaml", "pydantic", "argparse", "difflib", "hashlib", "hmac",
}  # fmt: skip


def imported(code):
    """The modules that a fresh process has after some code beyond those it starts with."""
    script = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {SOURCE!r})\n{script}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(out.splitlines()[-1].split())


SOURCE = __import__("lambdallm").__path__[0].rpartition("/")[0]


def foreign(modules):
    return {name for name in modules if not name.startswith("lambdallm")}


def test_importing_the_package_imports_nothing():
    assert imported("import lambdallm") == {"lambdallm"}


def test_the_names_a_function_uses_import_cheap_things_only():
    found = foreign(imported("from lambdallm import handler, Prompt, Model, Middleware"))
    roots = {name.partition(".")[0] for name in found}
    assert roots <= CHEAP, f"new: {sorted(roots - CHEAP)}"


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("from lambdallm import handler, Prompt, Model", set()),
        ("from lambdallm import WireClient\nWireClient('openai/gpt-4o')", set()),
        ("import lambdallm.transport.sync", {"socket"}),
        ("import lambdallm.aws.sigv4", {"hashlib", "hmac"}),
        ("import lambdallm.llm.wire.openai_chat", set()),
        ("import lambdallm.llm.wire.anthropic_messages", set()),
        ("import lambdallm.llm.wire.bedrock_converse", set()),
        ("from lambdallm.llm.embedding.sync import OpenAIEmbeddingAdapter\nOpenAIEmbeddingAdapter()", set()),
        ("from lambdallm.llm.embedding import OpenAIEmbeddingAdapter\nOpenAIEmbeddingAdapter()", set()),
        ("from lambdallm.llm.clients.sync import OpenAIClient\nOpenAIClient()", set()),
        (
            "from lambdallm.llm.clients.sync import OpenAIClient\nOpenAIClient(requests_per_minute=9)",
            set(),
        ),
        ("from lambdallm.llm.routing.sync import LLMRouter\nLLMRouter(['echo', 'openai'])", set()),
        ("from lambdallm.llm.caching import LLMCache\nLLMCache()", set()),
        ("from lambdallm.state import Session\nSession(store='memory')", set()),
        ("from lambdallm import Chain, Step\nChain('c', [Step('a', 'Hi {name}')])", set()),
        ("from lambdallm.middleware import LoggingMiddleware\nLoggingMiddleware()", set()),
        ("from lambdallm.middleware import CostTrackingMiddleware\nCostTrackingMiddleware(1.0)", set()),
        ("from lambdallm.llm.streaming.sync import StreamingResponse", set()),
        ("from lambdallm.llm.structured.sync import StructuredExtractor", set()),
        ("from lambdallm.llm.safety import SecretsFilter\nSecretsFilter()", set()),
        ("from lambdallm.llm.parsers import ParserRegistry\nParserRegistry()", set()),
        ("from lambdallm.llm.pricing import PricingManager\nPricingManager()", set()),
        ("from lambdallm.llm.pricing.tokens import EstimatingCounter\nEstimatingCounter().count('Hi')", set()),
    ],
)
def test_what_costs_milliseconds_is_not_imported_until_it_is_needed(code, allowed):
    assert imported(code) & NEVER <= allowed


def test_every_public_name_resolves():
    import lambdallm

    assert all(getattr(lambdallm, name) is not None for name in lambdallm.__all__)
    assert set(lambdallm.__all__) == set(lambdallm._HOMES)
    assert set(lambdallm.__all__) <= set(dir(lambdallm))


def test_an_unknown_name_is_an_attribute_error():
    import lambdallm

    with pytest.raises(AttributeError, match="nope"):
        lambdallm.nope  # noqa: B018


def test_the_client_librarys_door_opens_every_documented_name():
    from lambdallm import llm

    assert {"LLMClientProtocol", "AbstractLLMClient", "OpenAICompatibleClient", "OpenAIClient", "ProviderRegistry",
            "create_llm_client", "ClientConfig", "AsyncStream", "StreamChunk", "Completion", "ChatMessage",
            "HealthCheckResult", "TokenLimitError", "ProviderCircuitBreaker", "StructuredExtractor", "LLMRouter",
            "SequentialCascadeStrategy", "ParallelRaceStrategy", "CostOptimizedStrategy", "LatencyOptimizedStrategy",
            "RoutingStrategyProtocol", "LLMCache", "RedisLLMCache", "LLMCacheProtocol", "CacheBackendProtocol",
            "RateLimiter", "QuotaBackendProtocol", "StreamingResponse", "SSEStreamAdapter", "AbstractStreamingAdapter",
            "ParallelStreamAggregator", "ParserRegistry", "PricingManager", "PricingSourceProtocol", "TiktokenCounter",
            "HuggingFaceCounter", "OutputFilter", "SecureLLMClient", "InferenceLogger", "InferenceLoggerProtocol",
            "LLMModule", "LLMProvider", "LLMRoutingProvider", "LLMConfig"} <= set(llm._HOMES)  # fmt: skip
    assert all(getattr(llm, name) is not None for name in llm._HOMES)
    assert set(llm.__all__) == set(llm._HOMES) <= set(dir(llm))
    with pytest.raises(AttributeError, match="nope"):
        llm.nope  # noqa: B018


def test_a_first_answer_loads_nothing_that_only_errors_and_event_loops_need():
    """Neither what reads errors (its patterns take a millisecond to compile) nor the driver that awaits."""
    found = imported("from lambdallm import WireClient\nWireClient('echo').chat('Hi').unwrap()")
    assert "lambdallm.llm.wire.openai_chat.response" in found
    unneeded = ("drivers.awaiting", "drivers.threads", "wire.openai_error", "wire.waits", "clients.policies", "caching")
    assert not {name for name in found if name.removeprefix("lambdallm.llm.").startswith(unneeded)}


def test_the_first_call_of_the_simplest_handler_loads_what_it_uses_alone():
    """No guards, deadlines, journals, sessions, routers, secrets, structures, events or configuration files."""
    found = imported(
        "from lambdallm import handler\n"
        "@handler(model='echo')\n"
        "def answer(event, context):\n"
        "    return context.invoke('Hello {name}', name='World')\n"
        "assert answer({}) == 'Hello World'"
    )
    core = {name.removeprefix("lambdallm.core.") for name in found if name.startswith("lambdallm.core.")}
    assert core == {
        "answer", "asking", "awaiting", "calls", "config", "config.project", "context", "flows", "handler", "invoking",
        "lifecycle", "metrics", "prompt", "question", "requests", "responses", "template",
    }  # fmt: skip
    unneeded = (
        "llm.auth.", "llm.backends", "llm.services", "llm.structured", "llm.streaming", "llm.caching", "llm.routing",
        "llm.drivers.awaiting", "llm.drivers.threads", "aws", "chains", "middleware", "runtime", "state", "testing",
        "providers.bridge", "transport.sync",
    )  # fmt: skip
    assert not {name for name in found if name.removeprefix("lambdallm.").startswith(unneeded)}


def test_a_first_streamed_answer_loads_what_writes_it_and_a_plain_one_nothing_of_that():
    code = (
        "from lambdallm import handler\n"
        "class Runtime: accepts_stream = True\n"
        "@handler(model='echo', response_streaming='direct')\n"
        "def answer(event, context):\n"
        "    return {0}\n"
        "assert {1}\n"
    )
    plain = imported(code.format("context.invoke('Hello')", "answer({}, Runtime()) == 'Hello'"))
    streamed = imported(code.format("context.stream('Hello')", "list(answer({}, Runtime())) == [b'Hello']"))
    writes = {"core.following", "core.frames", "core.streaming", "runtime.streams", "runtime.hook"}
    assert not {f"lambdallm.{name}" for name in writes} & plain
    assert {f"lambdallm.{name}" for name in writes} <= streamed
    unneeded = ("core.failures", "core.journal", "core.loop", "core.config.parts", "middleware.layers")
    assert not {name for name in streamed if name.removeprefix("lambdallm.").startswith(unneeded)}
    allowed = {"hashlib"}  # what the stand-in for a provider makes its examples with
    assert streamed & NEVER <= allowed
