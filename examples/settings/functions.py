"""Secrets for whatever takes a function, and the schema that editors take."""

import json
from pathlib import Path

from lambdallm.core.config import config_schema, secret
from lambdallm.middleware import Jwt

callers = Jwt(secret=secret("secret:app/jwt"), audience="app")  # read when the first token is looked at


def write_schema(folder: Path) -> Path:
    """Write the schema of `lambdallm.yaml` where an editor finds it."""
    file = folder / "lambdallm.schema.json"
    file.write_text(json.dumps(config_schema(), indent=2))
    return file
