"""The events of `fixtures/events`, by the names of their files: made by hand in the shapes that AWS documents."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "events"
HTTP_KINDS = ("api_gateway_v1", "api_gateway_v2", "function_url", "alb", "alb_multi_value")


def event(name):
    """A copy of an event, to be changed at will."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
