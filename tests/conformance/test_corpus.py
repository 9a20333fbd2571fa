"""Every recorded exchange decodes to what the vendor's SDK makes of it: whole, byte by byte, and in random pieces.

The recordings are beside the project or where `LAMBDALLM_CORPUS` says; a clone has none, and then this is skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdallm.testing.conformance.report import SPLITS, check, files
from recorded import CORPUS, needs_corpus, recordings

UNSUPPORTED = ("gemini/interactions",)
"""APIs that are recorded and outside what we speak: Google's Interactions."""


@pytest.mark.corpus
@recordings("*/*", but=UNSUPPORTED)
def test_recorded_exchange(path: Path) -> None:
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


@pytest.mark.corpus
@recordings(*UNSUPPORTED)
def test_what_we_do_not_speak_is_listed(path: Path) -> None:
    assert check(json.loads(path.read_bytes())).verdict == "unsupported"


@pytest.mark.corpus
@needs_corpus
def test_every_split_is_tried() -> None:
    assert SPLITS[:2] == ("whole", "bytes")
    assert len(SPLITS) == 5
    assert files(CORPUS, "openai")
