"""Ids of tool calls that fit, whatever another protocol made of them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.wire.call_ids import fitting_id


def test_an_id_that_fits_stays() -> None:
    assert fitting_id("toolu_01-aB") == "toolu_01-aB"
    assert fitting_id("functions.f:0", also=".:") == "functions.f:0"


def test_ids_that_would_come_out_the_same_are_kept_apart() -> None:
    assert fitting_id("f.0") != fitting_id("f:0")
    assert fitting_id("x" * 70 + "1", longest=64) != fitting_id("x" * 70 + "2", longest=64)


@given(st.text(), st.integers(20, 64))
def test_every_id_fits_and_is_made_the_same_each_time(id: str, longest: int) -> None:
    fit = fitting_id(id, longest=longest)
    assert re.fullmatch("[a-zA-Z0-9_-]+", fit)
    assert len(fit) <= longest
    assert fitting_id(fit, longest=longest) == fit == fitting_id(id, longest=longest)
