"""Conversations as hypothesis makes them: whole ones, and ones in which calls and results have lost each other."""

from hypothesis import strategies as st

from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)

texts = st.text(max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
"""What JSON says."""

metadata = st.dictionaries(texts, plain | st.tuples(plain, plain), max_size=2)
parts = st.one_of(
    st.builds(TextPart, texts, st.lists(metadata, max_size=2).map(tuple), metadata),
    st.builds(RefusalPart, texts),
    st.builds(ImagePart, data=st.binary(max_size=20), media_type=st.just("image/png"), metadata=metadata),
    st.builds(ImagePart, url=texts),
    st.builds(AudioPart, st.binary(max_size=20), st.just("audio/wav")),
    st.builds(DocumentPart, text=texts, name=texts),
    st.builds(ReasoningPart, texts, signature=texts, encrypted=texts, id=texts, metadata=metadata),
    st.builds(ToolCall, texts, texts, plain, st.none() | texts, metadata),
    st.builds(ToolResult, texts, texts | st.lists(st.builds(TextPart, texts), max_size=2).map(tuple)),
    st.builds(ProviderPart, texts, metadata, texts),
)
messages = st.builds(
    ChatMessage,
    st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    texts | st.lists(parts, max_size=3).map(tuple),
    st.none() | texts,
    metadata,
)
"""Any message at all, whether a provider would take it or not."""


@st.composite
def turns(draw):
    """One turn as it happens: a question, perhaps calls of tools, perhaps an answer; now and then broken off."""
    said = [ChatMessage("user", draw(texts) or "?")]
    for _ in range(draw(st.integers(0, 2))):
        ids = [f"call{number}" for number in range(draw(st.integers(1, 3)))]
        said.append(ChatMessage("assistant", tuple(ToolCall(id, "f", {}) for id in ids)))
        answered = ids if draw(st.integers(0, 5)) else ids[1:]
        said += [ChatMessage("tool", (ToolResult(id, draw(texts)),)) for id in answered]
    if draw(st.booleans()):
        said.append(ChatMessage("assistant", draw(texts) or "!"))
    if not draw(st.integers(0, 5)):
        said = said[draw(st.integers(0, len(said) - 1)) :]
    if not draw(st.integers(0, 4)):
        said.insert(0, ChatMessage(draw(st.sampled_from(["system", "developer"])), "be kind"))
    return said


conversations = st.lists(turns(), max_size=8).map(lambda every: [message for turn in every for message in turn])
