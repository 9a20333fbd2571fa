"""One line of JSON for each call: `python examples/clients/logging_calls.py` needs no key.

What was said is left out unless asked for. The fields are OpenTelemetry's, and `lambdallm.…` where it has none.
"""

import json

from lambdallm.llm import InferenceLogger, create_llm_client
from lambdallm.llm.notices import CallCompleted, CallFailed

SHOWN = (
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "lambdallm.cost_usd",
    "lambdallm.cache",
    "error.type",
    "http.response.status_code",
)


def show(line):
    told = json.loads(line)
    print("  " + ", ".join(f"{name.rpartition('.')[2]} {told[name]!r}" for name in SHOWN if name in told))


def log(lines):
    """Every call, whole or streamed, good or not. Without a sink it goes to Python's logger `lambdallm.inference`."""
    listeners = [InferenceLogger(lines.append)]
    with create_llm_client("echo", blocking=True, listeners=listeners, max_retries=0) as client:
        client.complete("Name a river.")
        list(client.stream_chat("Name a lake.").texts())
        client.complete("Name a sea.", model="error-503")
    for line in lines:
        show(line)


def keep_content(lines):
    """`content="redacted"` keeps what was said, after filters for secrets and personal data."""
    listeners = [InferenceLogger(lines.append, content="redacted")]
    with create_llm_client("echo", blocking=True, listeners=listeners) as client:
        client.complete("Write to ada@example.com")
    said = json.loads(lines[-1])
    print(f"  {said['gen_ai.input.messages'][0]['parts'][0]['content']!r}")


class Total:
    """A listener of one's own: what the answered calls have cost, `None` as soon as that of one is unknown."""

    def __init__(self):
        self.cost_usd, self.failed = 0.0, 0

    def __call__(self, notice):
        if isinstance(notice, CallCompleted):
            cost = notice.completion.cost_usd
            self.cost_usd = None if self.cost_usd is None or cost is None else self.cost_usd + cost
        elif isinstance(notice, CallFailed):
            self.failed += 1


def listen():
    total = Total()
    listeners = [total, InferenceLogger(slow_ms=10_000, sample=0.1)]  # slow and failed calls, and a tenth of the others
    with create_llm_client("echo", blocking=True, listeners=listeners) as client:
        for river in ("Glomma", "Rhine"):
            client.complete(f"Where is the {river}?")
    print(f"  {total.cost_usd} dollars, {total.failed} failed")


def main():
    print("without content:")
    log([])
    print("redacted:")
    keep_content([])
    print("a listener of one's own:")
    listen()


if __name__ == "__main__":
    main()
