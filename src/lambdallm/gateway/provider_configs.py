"""`provider_configs.json`, read as the document has it: checked, with the line and column of what is wrong.

    {"openai": {"endpoint": "https://api.openai.com/v1/chat/completions", "secret_path": "/llm/{env}/openai",
                "model_id": "gpt-4o", "request_transformer": "openai_request",
                "response_transformer": "openai_response", "auth_type": "bearer", "auth_header": "Authorization",
                "timeout": 30}}

YAML too. Beside the documented fields an entry may have what the handler decides by: see `FIELDS`.
"""

from __future__ import annotations

import os

from ..core.config.fields import COUNT, NUMBER, TEXT, TRUTH, WHOLE
from ..core.config.kinds import Field, Kind, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from typing import Any

FILES = ("provider_configs.json", "provider_configs.yaml", "provider_configs.yml")
AUTH_HEADERS = {"bearer": "Authorization", "x-api-key": "x-api-key", "none": ""}
"""The header of each kind of proof where an entry names none."""

FIELDS = {
    "endpoint": Field(TEXT, "The URL that requests are posted to."),
    "secret_path": Field(TEXT, "Where the key is kept: a secret's name, or ssm:/path; {env} is LAMBDALLM_ENV."),
    "model_id": Field(TEXT, "The model that is asked where a request names none."),
    "request_transformer": Field(TEXT, "What makes its requests, such as openai_request."),
    "response_transformer": Field(TEXT, "What reads its answers, such as openai_response."),
    "auth_type": Field(Kind("bearer, x-api-key or none", one_of=tuple(AUTH_HEADERS)), "How it is proved who asks."),
    "auth_header": Field(TEXT, "The header that the proof is in."),
    "timeout": Field(NUMBER, "The longest wait for it, in seconds; 30 if left out."),
    "options": Field(Kind("a mapping of options", (dict,)), "Settings of requests that do not set them."),
    "max_retries": Field(WHOLE, "Tries after the first; 2 if left out."),
    "failure_threshold": Field(COUNT, "Failures in a row after which it is left alone; 5 if left out."),
    "recovery_seconds": Field(NUMBER, "How long it is left alone; 30 if left out."),
    "enabled": Field(TRUTH, "False takes it out of service."),
    "rollout": Field(
        Kind(
            "a mapping such as {percent: 10}",
            (dict,),
            fields={
                "percent": Field(NUMBER, "The share of the requests that it gets."),
                "key": Field(TEXT, "The field of a request that decides."),
                "otherwise": Field(TEXT, "The provider that gets the others."),
            },
        ),
        "A share of the requests, while it is rolled out.",
    ),
}
FILE = Kind("a mapping of providers", (dict,), values=Kind("a mapping", (dict,), fields=FIELDS))


def configs_path(environ: Mapping[str, str]) -> str | None:
    """The file that applies: the one in PROVIDER_CONFIGS, else that of the folder; `None` where none is."""
    if named := environ.get("PROVIDER_CONFIGS"):
        return named
    folder = environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    return next((place for name in FILES if os.path.isfile(place := os.path.join(folder, name))), None)


def read_configs(path: str | PathLike[str]) -> dict[str, dict[str, Any]]:
    """The entries of a file, with what they leave out. Raises `ConfigFileError` naming all places."""
    from ..core.config.document import mapping_in, read_document
    from ..core.config.reading import refuse

    document = read_document(path)
    data = mapping_in(document)
    problems = list(FILE.problems(data, ())) or list(_mistakes(data))
    if problems:
        refuse(document, problems)
    return {name: completed(entry) for name, entry in data.items()}


def completed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with the fields that it leaves out."""
    kind = entry.get("auth_type", "bearer")
    protocol = entry["request_transformer"].removesuffix("_request")
    defaults = {
        "response_transformer": f"{protocol}_response", "auth_type": kind, "auth_header": AUTH_HEADERS[kind],
        "timeout": 30,
    }  # fmt: skip
    return {**defaults, **entry}


def _mistakes(data: Mapping[str, Any]) -> Iterator[Problem]:
    from ..llm.catalog.definition import suggestion

    for name, entry in data.items():
        for field in ("endpoint", "request_transformer"):
            if field not in entry:
                yield Problem((name,), f"the provider {name!r} has no {field!r}.", f"Add {field!r}.")
        if not entry.get("endpoint", "https://").startswith(("https://", "http://")):
            yield Problem((name, "endpoint"), f"endpoint is {entry['endpoint']!r}.", "It should begin with https://.")
        rollout = entry.get("rollout") or {}
        if rollout.get("percent", 0) > 100:
            yield Problem((name, "rollout", "percent"), f"percent is {rollout['percent']!r}.", "It is at most 100.")
        other = rollout.get("otherwise")
        if other is not None and other not in data:
            said = f"no provider here is called {other!r}."
            yield Problem((name, "rollout", "otherwise"), said, suggestion(other, data))
