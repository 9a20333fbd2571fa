"""Every recorded exchange decodes to what the vendor's SDK makes of it: whole, byte by byte, and in random pieces.

The recordings are beside the project or where `LAMBDALLM_CORPUS` says; a clone has none, and then this is skipped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lambdallm.testing.conformance.report import SPLITS, check, files

BESIDE_THE_PROJECT = Path(__file__).parents[3] / "shared" / "corpus"
CORPUS = Path(os.environ.get("LAMBDALLM_CORPUS") or BESIDE_THE_PROJECT)
OPENAI_SHAPED = ("*/chat", "*/openai_compat", "*/openai_chat")
OTHERS = ("anthropic/messages", "vertex/anthropic_messages", "bedrock/converse")
ELSEWHERE = ("ollama/chat",)
"""An API of that name with a protocol of its own."""


def exchanges() -> list[object]:
    folders = sorted(folder for pattern in (*OPENAI_SHAPED, *OTHERS) for folder in CORPUS.glob(pattern))
    paths = [p for folder in folders if "/".join(folder.parts[-2:]) not in ELSEWHERE for p in folder.glob("*.json")]
    return [pytest.param(path, id=str(path.relative_to(CORPUS).with_suffix(""))) for path in sorted(paths)]


RECORDED = exchanges() or [
    pytest.param(
        None, id="none", marks=pytest.mark.skip(reason=f"no recorded traffic in {CORPUS.name!r}; set LAMBDALLM_CORPUS")
    )
]


@pytest.mark.corpus
@pytest.mark.parametrize("path", RECORDED)
def test_recorded_exchange(path: Path) -> None:
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no recorded traffic; set LAMBDALLM_CORPUS")
def test_every_split_is_tried() -> None:
    assert SPLITS[:2] == ("whole", "bytes")
    assert len(SPLITS) == 5
    assert files(CORPUS, "openai")
