"""What the codec benchmark measures, as data: each protocol, whose SDK speaks it too, and what is asked.

To add a protocol, write its answers in `codec_answers.py` and name it here; to add an SDK, write
`clients/codec_<name>.py` with the operations `call` and `stream`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sdk:
    """A vendor's SDK: its environment, named as the other benchmarks name it, and the module that drives it."""

    name: str
    client: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """A wire protocol, and with `:` whose variant of it. `dialect` says that clients speak it to us, too."""

    name: str
    model: str
    sdks: tuple[Sdk, ...]
    answers: str
    """The function of `codec_answers` that makes its answers."""

    dialect: bool = False
    embeds: bool = False

    @property
    def wire(self) -> str:
        return self.name.partition(":")[0]

    @property
    def whole(self) -> tuple[str, ...]:
        """What is measured of ours and of the SDK, side by side."""
        return WHOLE[:1] if self.embeds else WHOLE

    @property
    def alone(self) -> tuple[str, ...]:
        """What is measured of the codec by itself."""
        return (*(ALONE[:3] if self.embeds else ALONE), *(INBOUND if self.dialect else ()))


ALONE = ("encode", "decode", "json", "decode_chunk", "json_chunk")
"""A codec by itself, and how long `json.loads` takes for the same bytes."""

WHOLE = ("call", "stream_chunk")
"""A whole call, ours or the SDK's, over a transport in the process that answers at once."""

INBOUND = ("decode_request", "encode_response", "encode_chunk")
"""A dialect's other direction: a client's request, and the answer to it."""

_OPENAI = Sdk("openai", "codec_openai", ("openai",))
_HTTPX = Sdk("httpx2", "codec_httpx2", ("httpx2",))
_ANTHROPIC = Sdk("anthropic", "codec_anthropic", ("anthropic", "boto3"))
_GOOGLE = Sdk("google-genai", "codec_google", ("google-genai",))
_BOTO3 = Sdk("boto3", "codec_boto3", ("boto3",))
_COHERE = Sdk("cohere", "codec_cohere", ("cohere",))
_OLLAMA = Sdk("ollama", "codec_ollama", ("ollama",))
_MISTRAL = Sdk("mistralai", "codec_mistral", ("mistralai",))

_GPT = "openai/gpt-4o-mini"
_CLAUDE = "bedrock/anthropic.claude-3-haiku-20240307-v1:0"

PROTOCOLS = (
    Protocol("openai_chat", _GPT, (_OPENAI, _HTTPX), "openai_chat", dialect=True),
    Protocol("openai_responses", _GPT, (_OPENAI,), "openai_responses", dialect=True),
    Protocol("anthropic_messages", "anthropic/claude-haiku-4-5", (_ANTHROPIC,), "anthropic_messages", dialect=True),
    Protocol("gemini", "gemini/gemini-2.5-flash", (_GOOGLE,), "gemini", dialect=True),
    Protocol("bedrock_converse", _CLAUDE, (_BOTO3,), "bedrock_converse"),
    Protocol("bedrock_invoke.anthropic", _CLAUDE, (_BOTO3, _ANTHROPIC), "bedrock_messages"),
    Protocol("cohere_chat", "cohere/command-a-03-2025", (_COHERE,), "cohere_chat"),
    Protocol("ollama_chat", "ollama/llama3.2", (_OLLAMA,), "ollama_chat"),
    Protocol("openai_chat:mistral", "mistral/mistral-small-latest", (_MISTRAL,), "mistral_chat"),
    Protocol("openai_embeddings", "openai/text-embedding-3-small", (_OPENAI,), "openai_embeddings", embeds=True),
)
SDKS = {sdk.name: sdk for protocol in PROTOCOLS for sdk in protocol.sdks}


def protocol_named(name: str) -> Protocol:
    return next(protocol for protocol in PROTOCOLS if protocol.name == name)


SYSTEM = "You are the assistant of a small bookshop. Answer in the customer's language, in short sentences. " * 4
QUESTION = "I am looking for a novel that I read years ago. It begins on an island, and there is a lighthouse. " * 6
TURNS = (("user", "Good morning! Are you open today?"), ("assistant", "Good morning. Yes, from nine to six."))
TOOLS = (
    ("find_books", "Search the shop's catalogue.", {"words": "string", "author": "string", "most": "integer"}),
    ("reserve", "Put a book aside for a customer.", {"isbn": "string", "customer": "string"}),
)
MOST_TOKENS = 500
TEMPERATURE = 0.2
"""One request for all: instructions, two turns, a question of 600 characters, two tools; about 1.8 kB of JSON."""
