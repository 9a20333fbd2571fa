"""Which models tokenize alike, and what their prompt formats add to the text: data, with no model's name elsewhere.

Overheads are from recorded requests with the providers' own counts (`benchmarks/run_tokens.py` measures them again).
For conversations of text they are exact for OpenAI's and Gemini's models, whose tokenizers are in the open; what a
server adds unasked (a hidden prompt, the text around tools) is a median.
"""

from __future__ import annotations

from ...._value import Value


class Family(Value):
    """Models with one tokenizer and one prompt format.

    `weights` names the estimate's weights and `factor` what to multiply them by; `encoding` is tiktoken's name for the
    tokenizer, `""` where it has none. A request has `request` tokens more than its text, `message` for each message,
    and with tools `tools` and their JSON times `schema`; the JSON Schema of its answer counts `answer_schema` times.
    `image` names a rule in `media`; `pdf_page`, `audio_second` and `video_second` are tokens.
    """

    weights: str
    factor: float = 1.0
    encoding: str = ""
    request: int = 3
    message: int = 4
    tools: int = 12
    schema: float = 1.0
    answer_schema: float = 1.0
    image: str = "tiles_openai"
    pdf_page: int = 800
    audio_second: int = 10
    video_second: int = 263


_O200K = Family("o200k_base", encoding="o200k_base", tools=14, schema=0.55)
_REASONING = _O200K.replace(request=2, image="tiles_gpt5")
_CLAUDE = Family(
    "claude", 1.06, request=4, message=3, tools=450, schema=1.3, answer_schema=2.5, image="area_claude", pdf_page=2000
)
_GEMINI = Family(
    "gemini", request=1, message=0, tools=5, schema=0.6, answer_schema=0, image="tiles_gemini", pdf_page=258,
    audio_second=32,
)  # fmt: skip
_LLAMA = Family("llama3", request=6, message=4, tools=60)
_MISTRAL = Family("mistral", request=1, message=2, tools=9, schema=1.4, answer_schema=0, image="patches_28")

FAMILIES = {
    "unknown": _O200K.replace(encoding="", tools=60, schema=1.0),
    "gpt-4": Family("cl100k_base", encoding="cl100k_base", tools=14, schema=0.55),
    "gpt-4o": _O200K,
    "gpt-4o-mini": _O200K.replace(image="tiles_gpt4o_mini"),
    "gpt-4.1-mini": _O200K.replace(image="patches_162"),
    "gpt-4.1-nano": _O200K.replace(image="patches_246"),
    "gpt-5": _REASONING,
    "gpt-5-mini": _REASONING.replace(image="patches_162"),
    "gpt-5-nano": _REASONING.replace(image="patches_246"),
    "gpt-5.4": _REASONING.replace(image="patches_1"),
    "o-series": _REASONING.replace(image="tiles_o1"),
    "o4-mini": _REASONING.replace(image="patches_172"),
    "gpt-oss": _O200K.replace(request=63, encoding="o200k_base", tools=25),
    "claude": _CLAUDE,
    "claude-2026": _CLAUDE.replace(factor=1.4, image="area_claude_2026"),
    "gemini": _GEMINI,
    "gemini-3": _GEMINI.replace(image="fixed_1120", pdf_page=560),
    "llama": _LLAMA,
    "qwen": Family("qwen3", request=3, message=5, tools=120, image="patches_28"),
    "deepseek": Family("deepseek", request=2, message=2, tools=230),
    "mistral": _MISTRAL,
    "cohere": Family("llama3", 1.03, request=0, message=4, tools=200),
    "nova": Family("llama3", request=3, message=3, tools=150),
    "voyage": Family("qwen3", request=0, message=0),
}
"""By name. Those without a tokenizer in the open (Claude, Nova, Cohere) have the weights nearest to recorded counts."""

MARKS = (
    ("gpt-oss", "gpt-oss"), ("gpt-3-5", "gpt-4"), ("gpt-35", "gpt-4"), ("text-embedding", "gpt-4"),
    ("gpt-4o-mini", "gpt-4o-mini"), ("gpt-4o", "gpt-4o"), ("gpt-4-1-mini", "gpt-4.1-mini"),
    ("gpt-4-1-nano", "gpt-4.1-nano"), ("gpt-4-1", "gpt-4o"), ("gpt-4-5", "gpt-4o"), ("gpt-4", "gpt-4"),
    ("gpt-5-mini", "gpt-5-mini"), ("gpt-5-nano", "gpt-5-nano"), ("gpt-5-4-mini", "gpt-5-mini"),
    ("gpt-5-4-nano", "gpt-5-nano"), ("gpt-5-4", "gpt-5.4"), ("gpt-5-5", "gpt-5.4"), ("gpt-5-6", "gpt-5.4"),
    ("gpt-6", "gpt-5.4"), ("gpt-", "gpt-5"), ("codex", "gpt-5"),
    ("davinci-002", "gpt-4"), ("babbage-002", "gpt-4"), ("^o4-mini", "o4-mini"), ("^o1", "o-series"),
    ("^o3", "o-series"), ("^o4", "o-series"), ("computer-use", "gpt-4o"),
    ("claude-opus-4-7", "claude-2026"), ("claude-opus-4-8", "claude-2026"), ("claude-opus-5", "claude-2026"),
    ("claude-sonnet-5", "claude-2026"), ("claude-haiku-5", "claude-2026"), ("claude-fable", "claude-2026"),
    ("claude-mythos", "claude-2026"), ("claude", "claude"),
    ("gemini-3", "gemini-3"), ("gemini-4", "gemini-3"), ("gemini", "gemini"), ("gemma", "gemini"),
    ("deepseek-r1-distill-llama", "llama"), ("deepseek-r1-distill-qwen", "qwen"), ("deepseek", "deepseek"),
    ("llama", "llama"), ("qwen", "qwen"), ("qwq", "qwen"),
    ("mistral", "mistral"), ("mixtral", "mistral"), ("ministral", "mistral"), ("magistral", "mistral"),
    ("codestral", "mistral"), ("devstral", "mistral"), ("pixtral", "mistral"), ("voxtral", "mistral"),
    ("command", "cohere"), ("embed-english", "cohere"), ("embed-multilingual", "cohere"), ("embed-v4", "cohere"),
    ("nova-", "nova"), ("titan", "nova"), ("voyage", "voyage"),
)  # fmt: skip
"""What a model's id holds (after `^`: begins with) and its family's name; the first that fits. Dots count as dashes."""

_MOST_REMEMBERED = 1000
_known: dict[str | None, Family] = {None: FAMILIES["unknown"]}


def family_of(model: str | None) -> Family:
    """The family of a model, by its id with or without its provider; one of unknown tokens for any other."""
    found = _known.get(model)
    if found is None and model is not None:
        found = FAMILIES[_named(model)]
        if len(_known) < _MOST_REMEMBERED:
            _known[model] = found
    return found or FAMILIES["unknown"]


def _named(model: str) -> str:
    id = model.lower().replace(".", "-").replace(":", "/")
    bare = id.rpartition("/")[2]
    fits = (name for mark, name in MARKS if (bare.startswith(mark[1:]) if mark[0] == "^" else mark in id))
    return next(fits, "unknown")
