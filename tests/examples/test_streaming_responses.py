"""The example of streamed responses runs, and says what its documentation shows."""

import json
import re
import subprocess
import sys
from pathlib import Path

from server_events import events

APP = Path(__file__).parents[2] / "examples" / "streaming_responses" / "app.py"


def test_each_function_answers_in_its_format():
    told = subprocess.run([sys.executable, APP], capture_output=True, text=True, timeout=60, check=True)
    assert told.stderr == ""
    answers = re.split(r"^(?=20[01] )", told.stdout, flags=re.MULTILINE)[1:]
    (head, text), sse, lines, (created, chat), compatible = (answer.split("\n", 1) for answer in answers)
    assert (head, text.strip()) == ("200 text/plain; charset=utf-8", "So: Tell me about tea.")
    assert said(sse[1]) == "So: Tell me about tea."
    assert [json.loads(line).get("state") for line in lines[1].splitlines() if line] == ["asking", None, None]
    assert (created, said(chat)) == ("201 text/event-stream", "So: Hi")
    assert compatible[1].rstrip().endswith("data: [DONE]")


def said(stream):
    found = events(stream.encode())
    assert found[-1][0] == "done"
    return "".join(json.loads(data)["text"] for _, data in found[:-1])
