"""Where recorded provider traffic is, and its exchanges as a test's parameter; a clone without it skips, saying so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(os.environ.get("LAMBDALLM_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
MISSING = f"no recorded traffic in {CORPUS.name!r}; set LAMBDALLM_CORPUS"

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=MISSING)


def recordings(
    *folders: str, holds: Callable[[dict[str, Any]], bool] | None = None, but: tuple[str, ...] = ()
) -> pytest.MarkDecorator:
    """The exchanges in folders (`openai/chat`, `*/chat`, those in `but` left out) of which something holds."""
    found = sorted(path for folder in folders for path in CORPUS.glob(f"{folder}/*.json") if _folder(path) not in but)
    kept = [path for path in found if holds is None or holds(json.loads(path.read_bytes()))]
    named = [pytest.param(path, id=str(path.relative_to(CORPUS).with_suffix(""))) for path in kept]
    none = pytest.param(None, id="none", marks=pytest.mark.skip(reason=MISSING))
    return pytest.mark.parametrize("path", named or [none])


def _folder(path: Path) -> str:
    return "/".join(path.parts[-3:-1])
