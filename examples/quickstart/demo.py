"""The first minute with LambdaLLM: both functions of `app.py` on the embedded model, and what they took.

Run it with the project's Python, after `lambdallm local pull`: python examples/quickstart/demo.py
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from lambdallm import LambdaLLMError, WireClient
from lambdallm.cli.console import milliseconds, paint
from lambdallm.cli.invocation import LocalContext, invoke
from lambdallm.cli.target import find_target, load

HERE = Path(__file__).parent
REVIEWS = [
    "Best coffee I have had in years, and the staff were lovely.",
    "The battery died after two days and support never answered.",
    "Fast delivery, great quality, I will order again.",
]
BARE = "pass"
HANDLER = "from lambdallm import handler; handler(lambda event, context: 'Hello')"


def main():
    say("LambdaLLM quickstart", "a real model on this machine: no key, no cloud")
    for show in (load_model, show_sentiment, show_summary, show_cold_start, show_next):
        print()
        show()


def load_model():
    print("Loading the embedded model … ", end="", flush=True)
    begun = time.perf_counter()
    answer = WireClient("local").chat("Hello", max_tokens=1).unwrap()
    print(f"{answer.model} is ready in {time.perf_counter() - begun:.1f} s")


def show_sentiment():
    say("1  Data of a fixed shape", "app.py:sentiment, whose answer always fits its schema")
    reports = []
    for review in REVIEWS:
        answer, report = run("sentiment", {"text": review})
        reports.append(report)
        print(f"   {json.dumps(answer)}  {review}", flush=True)
    tokens = (sum(r.tokens_in for r in reports), sum(r.tokens_out for r in reports))
    seconds = sum(r.duration_ms for r in reports) / 1000
    measured(tokens, tokens[1] / seconds, f"{milliseconds(1000 * seconds / len(reports))} each")


def show_summary():
    say("2  A stream", "app.py:summary, read while it is written")
    event = json.loads((HERE / "events" / "article.json").read_text())
    _, report = run("summary", event, wrapped())
    print()
    seconds = (report.duration_ms - report.first_token_ms) / 1000
    tokens = (report.tokens_in, report.tokens_out)
    measured(tokens, report.tokens_out / seconds, f"first token after {milliseconds(report.first_token_ms)}")


def show_cold_start():
    say("3  The cold start", "fresh processes, the median of 9")
    times = {BARE: [], HANDLER: []}
    for _ in range(9):
        for code, seen in times.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            seen.append((time.perf_counter() - begun) * 1000)
    bare, ours = median(times[BARE]), median(times[HANDLER])
    print(f"   bare Python                             {bare:5.1f} ms")
    print(f"   with LambdaLLM imported and a handler   {ours:5.1f} ms   ({ours - bare:+.1f} ms)")


def show_next():
    app = os.path.relpath(HERE / "app.py")
    say("Try next")
    if not shutil.which("lambdallm"):
        print(f"   source {os.path.relpath(Path(sys.executable).parent / 'activate')}")
    print(f'   lambdallm invoke {app}:sentiment --data \'{{"text": "I want my money back."}}\'')
    print("   lambdallm init hello && cd hello      a project of your own; serve it with `lambdallm dev`")
    print("   lambdallm models                      other models; try one with --model NAME")


def run(name, event, show=lambda piece: None):
    target = find_target(str(HERE / f"app.py:{name}"))
    return invoke(load(target), event, LocalContext(name, timeout=120), show)


def wrapped():
    """Print pieces of text as they come, broken at the terminal's width."""
    width, column = min(shutil.get_terminal_size().columns, 100), 0

    def show(piece):
        nonlocal column
        if column == 0 or column + len(piece) > width:
            print("   " if column == 0 else "\n   ", end="")
            column, piece = 3, piece.lstrip()
        print(piece, end="", flush=True)
        column += len(piece)

    return show


def say(title, text=""):
    print(f"{paint(title, 'bold', sys.stdout)}  {text}".rstrip(), flush=True)


def measured(tokens, rate, more):
    line = f"{tokens[0]} tokens in, {tokens[1]} out · {rate:.0f} tokens/s · {more}"
    print(paint(f"   {line}", "dim", sys.stdout))


if __name__ == "__main__":
    try:
        main()
    except LambdaLLMError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        sys.exit(2)
