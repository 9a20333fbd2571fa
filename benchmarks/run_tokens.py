"""How far the estimate of tokens is from the truth: by kind of text and tokenizer, and for recorded requests.

    python benchmarks/run_tokens.py             # the tables
    python benchmarks/run_tokens.py --write     # fit the weights anew first, and write them

Weights are fitted on two thirds of the pieces of text, and all errors are of the other third. Needs `tiktoken`,
`tokenizers`, `numpy`, pip and npm; recorded requests need LAMBDALLM_CORPUS.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src"))

from tokens_recorded import recorded  # noqa: E402
from tokens_texts import pieces  # noqa: E402
from tokens_truth import Count, tokenizers, wheel  # noqa: E402

from lambdallm.llm.pricing.tokens.bound import at_least  # noqa: E402
from lambdallm.llm.pricing.tokens.estimate import EstimatingCounter, weighed  # noqa: E402
from lambdallm.llm.pricing.tokens.features import NAMES, features  # noqa: E402
from lambdallm.llm.types import ChatMessage  # noqa: E402

WEIGHTS = HERE.parent / "src/lambdallm/llm/pricing/tokens/weights.json"
ROUNDS = 600
FEW = 4
"""Recorded exchanges of one sort below which an error says little."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="fit the weights and write them")
    parser.add_argument("--folder", type=Path, default=HERE.parent / ".bench/tokens", help="where tokenizers are kept")
    chosen = parser.parse_args()
    truth = tokenizers(chosen.folder)
    texts = pieces(wheel("django", chosen.folder))
    random.Random(1).shuffle(texts)
    third = len(texts) // 3
    if chosen.write:
        fitted = {name: fit(texts[third:], count) for name, count in truth.items()}
        WEIGHTS.write_text(json.dumps(fitted, indent=1) + "\n")
    weights = json.loads(WEIGHTS.read_text())
    show_kinds(texts[:third], truth, weights)
    show_bound(texts, truth)
    show_recorded()
    show_speed(texts)


def fit(texts: list[tuple[str, str]], count: Count) -> dict[str, float]:
    """Weights of at least 0 with the least squares of relative errors, by turns of one weight after another."""
    import numpy

    rows = numpy.array([[features(text).get(name, 0) for name in NAMES] for _, text in texts], float)
    rows /= numpy.array([[count(text)] for _, text in texts], float)
    products, targets = rows.T @ rows, rows.sum(0)
    found = numpy.full(len(NAMES), 0.3)
    for _ in range(ROUNDS):
        for place in range(len(NAMES)):
            step = (products[place] @ found - targets[place]) / max(products[place][place], 1e-9)
            found[place] = max(0.0, found[place] - step)
    return {name: round(float(weight), 4) for name, weight in zip(NAMES, found, strict=True) if weight > 0.0005}


def show_kinds(texts: list[tuple[str, str]], truth: dict[str, Count], weights: dict) -> None:
    """Mean absolute error in percent by kind and tokenizer, then over all: mean, 95th percentile, worst, bias."""
    counted = [(kind, features(text), text) for kind, text in texts]
    errors: dict[str, dict[str, list[float]]] = {}
    for name, count in truth.items():
        errors[name] = defaultdict(list)
        for kind, found, text in counted:
            real = count(text)
            errors[name][kind].append(weighed(found, weights[name]) / real - 1)
    kinds = sorted({kind for kind, _, _ in counted})
    print(f"{len(texts)} pieces of text the weights have not seen; errors in percent\n")
    print(f"{'kind':16}" + "".join(f"{name:>13}" for name in truth))
    for kind in kinds:
        print(f"{kind:16}" + "".join(f"{mean(errors[name][kind]):13.1f}" for name in truth))
    for label, figure in (("all: mean", mean), ("all: 95 of 100", most), ("all: worst", worst), ("all: bias", bias)):
        every = {name: [error for found in errors[name].values() for error in found] for name in truth}
        print(f"{label:16}" + "".join(f"{figure(every[name]):13.1f}" for name in truth))


def mean(errors: list[float]) -> float:
    return 100 * sum(map(abs, errors)) / len(errors)


def most(errors: list[float]) -> float:
    return 100 * sorted(map(abs, errors))[int(0.95 * len(errors))]


def middle(errors: list[float]) -> float:
    return 100 * median(map(abs, errors))


def worst(errors: list[float]) -> float:
    return 100 * max(map(abs, errors))


def bias(errors: list[float]) -> float:
    return 100 * sum(errors) / len(errors)


def show_bound(texts: list[tuple[str, str]], truth: dict[str, Count]) -> None:
    """How near the lower bound comes, and whether it ever is too high."""
    shares = [at_least([ChatMessage("user", text)]) / count(text) for _, text in texts for count in truth.values()]
    print(f"\nat_least: {100 * sum(shares) / len(shares):.0f} % of the truth, {100 * max(shares):.0f} % at most")


def show_recorded() -> None:
    """Errors of whole requests and of answers' texts, against what the provider counted."""
    found = recorded()
    if not found:
        print("\nno recorded requests: set LAMBDALLM_CORPUS")
        return
    print(
        f"\n{'recorded, by provider':34}{'number':>8}{'mean':>8}{'95 of 100':>11}{'worst':>8}{'median':>8}{'bias':>8}"
    )
    for (what, family), pairs in sorted(found.items()):
        if len(pairs) < FEW:
            continue
        errors = [(guess - real) / real for guess, real in pairs]
        figures = f"{mean(errors):8.1f}{most(errors):11.1f}{worst(errors):8.1f}{middle(errors):8.1f}{bias(errors):8.1f}"
        print(f"{what:12}{family:22}{len(pairs):8}{figures}")


def show_speed(texts: list[tuple[str, str]]) -> None:
    counter, whole = EstimatingCounter(), "\n".join(text for _, text in texts)
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        for _, text in texts:
            counter.count(text, "gpt-4o")
        best = min(best, time.perf_counter() - begun)
    size = len(whole.encode())
    print(f"\n{1e9 * best / size:.0f} µs a kilobyte in pieces of {size // len(texts)} bytes")


if __name__ == "__main__":
    main()
