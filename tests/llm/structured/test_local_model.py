"""A real model, bound to a schema: whatever it says is a value of the type."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import pytest

from scripted_extractors import Awaiting, Blocking

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("local_model")]
both = pytest.mark.parametrize("kind", [Blocking, Awaiting])
SETTINGS = {"temperature": 0, "seed": 1, "max_tokens": 100}
LOCAL = {"provider": "local"}


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


@dataclass
class Review:
    """What a review says."""

    mood: Mood
    stars: Literal[1, 2, 3, 4, 5]
    again: bool | None = None


@pytest.fixture(autouse=True)
def _one_thread(_clean_environment, monkeypatch):
    monkeypatch.setenv("LAMBDALLM_LOCAL_THREADS", "1")


@both
def test_a_dataclass_from_the_embedded_model(kind):
    def ask(its):
        return its.extract_full("Review: I love this book! Rate it.", Review, **SETTINGS)

    full = kind.over("ProviderClient", ask, **LOCAL).unwrap()
    assert isinstance(full.value, Review)
    assert full.value.mood in Mood
    assert full.value.stars in range(1, 6)
    assert (full.mode, full.attempts, full.completion.provider) == ("native", 1, "local")
    assert full.usage.output_tokens > 0


@both
def test_and_while_it_is_written(kind):
    seen, value = kind.streamed("ProviderClient", "I love this book! Rate it.", Review, client=LOCAL, **SETTINGS)
    assert isinstance(value, Review)
    assert seen[0] == {}
    assert seen[-1]["mood"] == value.mood.value
