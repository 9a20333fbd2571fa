"""The embedded model as a provider: OpenAI's requests, answered by llama.cpp in this process.

Chat runs as a stream even when the answer is wanted whole, so that a timeout or a cancellation stops it at the next
token. Requests to one model take turns.
"""

from __future__ import annotations

from ..embedding.local.folder import is_sentence_model
from . import llama, openai_shapes
from .in_process import InProcessTransport, Refusal, refuse
from .model_file import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .in_process import Ask
    from .model_file import LocalModel

    Json = dict[str, Any]

DEFAULT_MAX_TOKENS = 1024
"""What a request that names no limit gets: small models may repeat themselves until the context is full."""

_ALIASES = ("default", "local")
_LIMITS = ("max_tokens", "max_completion_tokens")


class LocalTransport(InProcessTransport):
    """Answers with the model that `lambdallm local pull` fetched or LAMBDALLM_LOCAL_MODEL names.

    The model is loaded by the first request (under a second for the default one) and stays in memory for the life of
    the process. Raises `ConfigurationError` when it is not there and `MissingExtraError` without `xllamacpp`.
    """

    def answer(self, ask: Ask) -> dict[str, Any]:
        """A whole answer. Raises `Refusal` and `WaitTimeout`."""
        if ask.path == "/embeddings" and is_sentence_model(ask.body.get("model")):
            from ..embedding.local.answer import answer

            return answer(ask.body)
        model = locate()
        if ask.path == "/models":
            return openai_shapes.models(model.id, owner="local")
        if ask.path == "/embeddings":
            return _embeddings(model, ask)
        with_usage = ask.body | {"stream": True, "stream_options": {"include_usage": True}}
        return openai_shapes.completion(self.stream(ask.replace(body=with_usage)))

    def stream(self, ask: Ask) -> Iterator[dict[str, Any]]:
        """The chunks of a chat completion, each as the model makes it. Raises `Refusal` and `WaitTimeout`."""
        if ask.path != "/chat/completions":
            refuse(404, f"The local provider has no {ask.path!r}.", code="unknown_url")
        model = locate()
        body, context = _chat_body(model, ask.body), llama.context_size()

        def work(deliver: llama.Deliver) -> None:
            server = llama.server(model.path, model.id, embedding=False, context=context)
            if not ask.stop.requested:
                llama.native(lambda: server.handle_chat_completions(body, deliver))

        return _accepted(llama.run(work, ask.clock, ask.stop))


def _accepted(pieces: Iterator[Json]) -> Iterator[Json]:
    """The pieces as they are, until one is an error: llama.cpp's own body, under the status it names."""
    for piece in pieces:
        if "error" in piece:
            raise Refusal(_status(piece["error"]), piece)
        yield piece


def _status(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 500


def _chat_body(model: LocalModel, given: Json) -> Json:
    """The request as llama.cpp takes it, refusing what it would leave out in silence."""
    body = {name: value for name, value in given.items() if value is not None}
    _check_model(model, body)
    if body.get("tools") and not _takes_tools(model.path):
        refuse(400, f"The model {model.id!r} can't call tools: its chat template has no place for them.", param="tools")
    for name in _LIMITS:
        if name in body and (type(body[name]) is not int or body[name] < 1):
            refuse(400, f"{name!r} is {body[name]!r}; it must be a whole number of at least 1.", param=name)
    if not any(name in body for name in _LIMITS):
        body["max_tokens"] = DEFAULT_MAX_TOKENS
    if "seed" in body:
        body.setdefault("cache_prompt", False)  # a prompt read in other batches rounds differently
    return body | {"stream": True}


def _check_model(model: LocalModel, body: Json) -> None:
    wanted = body.get("model") or model.id
    if wanted != model.id and wanted not in _ALIASES:
        refuse(
            404, f"The model {wanted!r} is not here; the local provider runs {model.id!r}.",
            code="model_not_found", param="model",
        )  # fmt: skip


def _takes_tools(path: str) -> bool:
    return "tools" in _chat_template(path)


def _chat_template(path: str) -> str:
    """The chat template in a GGUF file's header: a name, a four-byte kind, an eight-byte length, the text."""
    import mmap

    name = b"tokenizer.chat_template"
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.find(len(name).to_bytes(8, "little") + name)
        if start < 0:
            return ""
        start += 8 + len(name) + 4 + 8
        return data[start : start + int.from_bytes(data[start - 8 : start], "little")].decode("utf-8", "replace")


def _embeddings(model: LocalModel, ask: Ask) -> Json:
    """Mean-pooled vectors of length one, from a second server of their own."""
    _check_model(model, ask.body)
    if ask.body.get("dimensions") is not None:
        refuse(400, f"The model {model.id!r} has one size of vector; leave out 'dimensions'.", param="dimensions")
    context = llama.context_size()

    def work(deliver: llama.Deliver) -> None:
        server = llama.server(model.path, model.id, embedding=True, context=context)
        deliver(llama.native(lambda: server.handle_embeddings(ask.body)))

    answer = next(llama.run(work, ask.clock, ask.stop))
    if "error" in answer:
        raise _embedding_refusal(answer)
    return answer


def _embedding_refusal(answer: Json) -> Refusal:
    """A text longer than the context is the caller's to shorten, though llama.cpp calls it an error of the server."""
    error = answer["error"]
    if "too large to process" in str(error.get("message")):
        error |= {"code": 400, "type": "exceed_context_size_error"}
    return Refusal(_status(error), answer)
