"""The nearest vector: what is told apart early is never what is near."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.caching.vectors import Nearest, UnitVector

numbers = st.lists(st.floats(-1, 1, width=32), min_size=24, max_size=24)


def cosine(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


@given(numbers, st.lists(numbers, max_size=8), st.floats(0.1, 1.0))
def test_it_is_the_one_that_comparing_all_gives(asked, known, threshold):
    nearest = Nearest(100)
    for number, vector in enumerate(known):
        nearest.add("s", str(number), UnitVector(vector))
    found = nearest.find("s", UnitVector(asked), threshold)
    best = max((cosine(asked, v) for v in known if math.hypot(*v) > 1e-6), default=-1.0) if any(asked) else -1.0
    if math.hypot(*asked) < 1e-6 or abs(best - threshold) < 1e-4:
        return
    assert (found is not None) == (best >= threshold)
    assert found is None or found[1] == pytest.approx(best, abs=1e-4)


def test_the_same_is_as_near_as_can_be():
    nearest = Nearest(10)
    nearest.add("s", "k", UnitVector([0.1, 0.7, -0.3] * 100))
    assert nearest.find("s", UnitVector([0.1, 0.7, -0.3] * 100), 1.0) == ("k", 1.0)


def test_scopes_are_searched_apart():
    nearest = Nearest(10)
    nearest.add("s", "k", UnitVector([1.0, 0.0]))
    assert nearest.find("other", UnitVector([1.0, 0.0]), 0.5) is None


def test_vectors_that_can_t_be_compared_are_not_near():
    nearest = Nearest(10)
    nearest.add("s", "nothing", UnitVector([0.0, 0.0]))
    nearest.add("s", "another model's", UnitVector([1.0, 0.0, 0.0]))
    assert nearest.find("s", UnitVector([1.0, 0.0]), 0.1) is None
    assert nearest.find("s", UnitVector([0.0, 0.0]), 0.1) is None


def test_the_least_recently_found_makes_room():
    nearest = Nearest(2)
    east, north, west = UnitVector([1.0, 0.0]), UnitVector([0.0, 1.0]), UnitVector([-1.0, 0.0])
    nearest.add("s", "east", east)
    nearest.add("t", "north", north)
    nearest.find("s", east, 0.9)
    nearest.add("s", "west", west)
    assert len(nearest) == 2
    assert nearest.find("t", north, 0.9) is None
    assert nearest.find("s", east, 0.9) == ("east", 1.0)


def test_one_that_is_removed_is_not_found():
    nearest = Nearest(2)
    nearest.add("s", "k", UnitVector([1.0, 0.0]))
    nearest.remove("s", "k")
    nearest.remove("s", "k")
    assert nearest.find("s", UnitVector([1.0, 0.0]), 0.1) is None
    assert len(nearest) == 0
