"""The fewest tokens a conversation can have: what may be refused without asking, because it can't fit.

An estimate would be nearer, and would refuse what fits. Two things hold of every token of OpenAI's o200k and cl100k,
Gemma 3, Llama 3, Qwen 3, DeepSeek V3, Mistral's Tekken and Claude 2: none has letters or digits on both sides of white
space (signs it may: `;`, a line break and `//` are one token of o200k), and none has more than 128 letters or digits.
"""

from __future__ import annotations

from ...types import TextPart, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...types import ChatMessage

_MOST_LETTERS = 128


def at_least(messages: Sequence[ChatMessage], enough: int = 0) -> int:
    """A number of tokens that the messages have for certain, whatever the model; never more than the truth.

    With `enough`, texts that are too short to have so many are not looked at, and count 0.
    """
    texts = [text for message in messages for text in _texts(message)]
    if sum(map(len, texts)) <= enough:
        return 0
    return sum(map(_fewest, texts))


def _fewest(text: str) -> int:
    words = [word for word in text.split() if word[0].isalnum() or any(map(str.isalnum, word))]
    longer = (sum(map(str.isalnum, word)) for word in words if len(word) > _MOST_LETTERS)
    return len(words) + sum((letters - 1) // _MOST_LETTERS for letters in longer if letters)


def _texts(message: ChatMessage) -> Iterable[str]:
    """What surely reaches the model: thoughts may be left out, calls are written in many ways."""
    if isinstance(message.content, str):
        yield message.content
        return
    for part in message.content:
        if isinstance(part, TextPart):
            yield part.text
        elif isinstance(part, ToolResult):
            content = part.content
            yield from (content,) if isinstance(content, str) else (p.text for p in content if isinstance(p, TextPart))
