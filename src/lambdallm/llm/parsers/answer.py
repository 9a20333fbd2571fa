"""The part of a model's text that is the answer."""

from __future__ import annotations


def answer_of(text: str) -> str:
    """The text after the thinking that the model wrote between tags before it."""
    from ..thinking.tags import split

    told = split(text)
    return text if told is None else told[1]
