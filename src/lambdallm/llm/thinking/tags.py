"""Thinking between tags in the text (`<think>…</think>`), as open models write it behind servers that don't read it.

Text that begins with an opening tag is thinking up to the closing one; elsewhere in the text a tag is a word like any
other. A model whose prompt already opened the tag (`opened`, a declared fact) begins inside. What is told apart is a
`ReasoningPart` with the tag in its metadata under `TAG`; `restored` writes it back as it was when the message is sent
again, since the model's own chat template knows best what to do with it.

Sources: DeepSeek-R1 and Qwen3 model cards (`<think>`); Mistral, Magistral (`[THINK]`); vLLM, "Reasoning outputs".
"""

from __future__ import annotations

from ..types import ReasoningPart, StreamChunk, TextPart
from ..wire.notes import FORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Literal

    from ..errors import LLMError
    from ..types import ChatMessage, Choice, Completion, Part
    from ..wire.codec import Decoder

TAG = "thinking_tags"
"""The key in a reasoning part's metadata; its `form` holds the tags with the blanks that stood around them."""

TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",
}
"""Opening tags and what closes them."""


def normalized(completion: Completion, *, opened: bool = False) -> Completion:
    """The completion with thinking between tags as reasoning parts; itself where there is none."""
    choices = tuple(_normalized(choice, opened) for choice in completion.choices)
    return completion if all(map(_same, choices, completion.choices)) else completion.replace(choices=choices)


def _same(one: object, other: object) -> bool:
    return one is other


def _normalized(choice: Choice, opened: bool) -> Choice:
    parts = choice.message.parts
    place = next((n for n, part in enumerate(parts) if isinstance(part, TextPart)), None)
    if place is None or any(isinstance(part, ReasoningPart) for part in parts):
        return choice
    text = parts[place]
    found = split(text.text, opened=opened) if isinstance(text, TextPart) else None
    if found is None or not isinstance(text, TextPart):
        return choice
    rest = (text.replace(text=found[1]),) if found[1] or text.citations else ()
    return choice.replace(
        message=choice.message.replace(content=(*parts[:place], found[0], *rest, *parts[place + 1 :]))
    )


def split(text: str, *, opened: bool = False) -> tuple[ReasoningPart, str] | None:
    """The thinking at the beginning of a text, and the answer after it; `None` where a text begins with its answer."""
    tag = opening_tag(text.lstrip())
    if tag is None and not opened:
        return None
    start = text.index(tag) + len(tag) if tag else 0
    thought, closed, rest = text[start:].partition(TAGS[tag or "<think>"])
    answer = rest.lstrip()
    form = {"open": text[:start], "close": closed + rest[: len(rest) - len(answer)]}
    return ReasoningPart(thought, metadata=_noted(form)), answer


def _noted(form: dict[str, str]) -> dict[str, Any]:
    return {TAG: {FORM: form}}


def opening_tag(text: str) -> str | None:
    """The tag a text begins with."""
    return next((tag for tag in TAGS if text.startswith(tag)), None)


def restored(messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
    """The messages with tagged thinking written back into the text; themselves where there is none."""
    if not any(_is_tagged(part) for message in messages if type(message.content) is tuple for part in message.content):
        return messages
    return tuple(message.replace(content=tuple(_written_back(message.parts))) for message in messages)


def _is_tagged(part: Part) -> bool:
    return type(part) is ReasoningPart and TAG in part.metadata


def _written_back(parts: Iterable[Part]) -> Iterable[Part]:
    """The parts with each tagged thought in front of the text that follows it."""
    held = ""
    for part in parts:
        if isinstance(part, ReasoningPart) and TAG in part.metadata:
            form = part.metadata[TAG][FORM]
            held += f"{form['open']}{part.text}{form['close']}"
        elif held and isinstance(part, TextPart):
            yield part.replace(text=held + part.text)
            held = ""
        else:
            if held:
                yield TextPart(held)
                held = ""
            yield part
    if held:
        yield TextPart(held)


class ThinkingDecoder:
    """A stream's decoder whose chunks have the thinking apart."""

    def __init__(self, decoder: Decoder, *, opened: bool = False) -> None:
        self._decoder = decoder
        self._splitter = ThinkingSplitter(opened=opened)

    @property
    def error(self) -> LLMError | None:
        """What the stream failed with."""
        return self._decoder.error

    @property
    def done(self) -> bool:
        """Whether no more chunks come."""
        return self._decoder.done

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        chunks = self._splitter.feed(self._decoder.feed(data))
        return chunks + self._splitter.close() if self._decoder.error is not None else chunks

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        return self._splitter.feed(self._decoder.close()) + self._splitter.close()


class ThinkingSplitter:
    """Tells thinking from answer in the chunks of a stream.

    Holds back no more than could be the beginning of a tag, or the blanks between thinking and answer.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._opened = opened
        self._texts: dict[int, _Text] = {}

    def feed(self, chunks: Iterable[StreamChunk]) -> list[StreamChunk]:
        """The chunks with the thinking apart."""
        return [piece for chunk in chunks for piece in self._pieces(chunk)]

    def close(self) -> list[StreamChunk]:
        """What is still held back when a stream ends before its finish reason."""
        return [StreamChunk(index=index, **piece) for index, text in self._texts.items() for piece in text.close()]

    def _pieces(self, chunk: StreamChunk) -> Iterable[StreamChunk]:
        text = self._texts.get(chunk.index)
        if text is None:
            text = self._texts[chunk.index] = _Text(self._opened)
        if chunk.thinking or text.state == "answer":
            text.state = "answer"  # a provider with a field for thinking writes no tags
            yield chunk
            return
        found = [*text.feed(chunk.delta), *(text.close() if chunk.finish_reason else ())]
        yield from (StreamChunk(index=chunk.index, block=chunk.block, **piece) for piece in found)
        rest = chunk.replace(delta="")
        if rest != StreamChunk(index=chunk.index, block=chunk.block):
            yield rest


class _Text:
    """One choice's text as it comes: at its `start`, `inside` a tag, `after` it, or in its `answer`."""

    def __init__(self, opened: bool) -> None:
        self.state: Literal["start", "inside", "after", "answer"] = "start"
        self._opened = opened
        self._held = ""
        self._form = {"open": "", "close": ""}
        self._tag = "<think>"

    def feed(self, text: str) -> Iterator[dict[str, Any]]:
        """The fields of chunks that this text completes."""
        while text:
            text, self._held, state = self._held + text, "", self.state
            pieces, text = _STEPS[state](self, text)
            yield from pieces
            if self.state == state:
                return

    def close(self) -> Iterator[dict[str, Any]]:
        """The fields of chunks for what is held back."""
        held, self._held = self._held, ""
        state, self.state = self.state, "answer"
        if state == "start" and self._opened and held:
            yield {"part": ReasoningPart(metadata=_noted(self._form))}
        if held and state != "after":
            inside = state == "inside" or (state == "start" and self._opened)
            yield {"thinking": held} if inside else {"delta": held}
        if state == "after":
            yield self._closed(held)

    def _closed(self, blanks: str) -> dict[str, Any]:
        """The note of how the thinking ended."""
        return {"part": ReasoningPart(metadata=_noted(self._form | {"close": TAGS[self._tag] + blanks}))}

    def _start(self, text: str) -> tuple[list[dict[str, Any]], str]:
        bare = text.lstrip()
        tag = opening_tag(bare)
        if tag is None and any(known.startswith(bare) for known in TAGS):
            self._held = text
            return [], ""
        if tag is None and not self._opened:
            self.state = "answer"
            return [{"delta": text}], ""
        self.state, self._tag = "inside", tag or "<think>"
        self._form = {"open": text[: text.index(tag) + len(tag)] if tag else "", "close": ""}
        return [{"part": ReasoningPart(metadata=_noted(self._form))}], text[len(self._form["open"]) :]

    def _inside(self, text: str) -> tuple[list[dict[str, Any]], str]:
        tag = TAGS[self._tag]
        thought, closed, rest = text.partition(tag)
        if closed:
            self.state = "after"
        else:
            kept = _overlap(text, tag)
            thought, self._held = text[: len(text) - kept], text[len(text) - kept :]
        return [{"thinking": thought}] if thought else [], rest

    def _after(self, text: str) -> tuple[list[dict[str, Any]], str]:
        answer = text.lstrip()
        if not answer:
            self._held = text
            return [], ""
        self.state = "answer"
        return [self._closed(text[: len(text) - len(answer)]), {"delta": answer}], ""


_STEPS = {"start": _Text._start, "inside": _Text._inside, "after": _Text._after}


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of the text may be the beginning of the tag."""
    return next((n for n in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-n:])), 0)
