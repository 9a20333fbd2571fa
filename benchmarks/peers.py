"""Who is measured and on what, as data: the columns and the rows of the table.

A case is one row's figure for one column. To add a peer, write `clients/client_<name>.py`, add a `Peer`, and name its
cases in the rows it takes part in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from recordings import EVENTS

Kind = Literal["import", "import_on_runtime", "first", "loop"]
OURS = "LambdaLLM"
BARE = "bare"


@dataclass(frozen=True)
class Peer:
    """One column: an environment with `packages`, the first of which names the version that is shown."""

    name: str
    packages: tuple[str, ...] = ()


PEERS = (
    Peer(OURS),
    Peer("http.client"),
    Peer("openai", ("openai",)),
    Peer("boto3", ("boto3",)),
    Peer("litellm", ("litellm",)),
)
LARGE = ("litellm",)
"""Peers that are only measured when asked for."""

RUNTIME = ("awslambdaric",)
"""AWS's runtime client, which every managed Python function has loaded before its own first line."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `cases` maps a column to what is run there: an import statement, or a client's module."""

    group: str
    label: str
    unit: str
    kind: Kind
    cases: dict[str, str] = field(hash=False)
    target: float | None = None
    url: str = "http"
    """`http`, `paced`, or `https` with the authorities as a `directory` or a `bundle`."""

    function: str = "call"
    calls: int = 1
    """How many calls a round of a warm loop makes."""

    per: int = 1
    """How many units (chunks) one call handles."""


_IMPORTS = {
    OURS: "import lambdallm",
    "http.client": "import http.client, json, ssl",
    "openai": "import openai",
    "boto3": "import boto3",
    "litellm": "import litellm",
}
_NAMES = {
    OURS: "from lambdallm import handler, Prompt, Model",
    "openai": "from openai import OpenAI",
    "boto3": "from boto3 import client",
    "litellm": "from litellm import completion",
}
_OPENAI = {
    OURS: "client_lambdallm",
    "http.client": "client_http",
    "openai": "client_openai",
    "litellm": "client_litellm",
}
_BEDROCK = {OURS: "client_lambdallm_bedrock", "boto3": "client_boto3"}
_DIRECTORY = {name: module for name, module in _OPENAI.items() if name != "litellm"}
"""Clients that read SSL_CERT_DIR."""

_ASYNC = {name: module for name, module in _OPENAI.items() if name != "http.client"}
_DECODE = {OURS: "decode_lambdallm", "http.client": "decode_json"}

ROWS = (
    Row("import", "import the package, over bare Python", "ms", "import", _IMPORTS, 12),
    Row("import", "import the names a function uses, over bare Python", "ms", "import", _NAMES, 12),
    Row("import", "import the package, on top of awslambdaric", "ms", "import_on_runtime", _IMPORTS, 5),
    Row("import", "import the names, on top of awslambdaric", "ms", "import_on_runtime", _NAMES, 5),
    Row("first", "first answer, HTTP", "ms", "first", _OPENAI, 22),
    Row("first", "first answer, TLS, directory of authorities", "ms", "first", _DIRECTORY, 32, "directory"),
    Row("first", "first answer, TLS, bundle of authorities", "ms", "first", _OPENAI, None, "bundle"),
    Row("first", "first answer, HTTP, Bedrock", "ms", "first", _BEDROCK, 22),
    Row("first", "first answer, TLS, directory, Bedrock", "ms", "first", {OURS: _BEDROCK[OURS]}, 32, "directory"),
    Row("first", "first answer, TLS, bundle, Bedrock", "ms", "first", _BEDROCK, None, "bundle"),
    Row("warm", "warm call", "µs", "loop", _OPENAI, 80, calls=300),
    Row("warm", "warm call, TLS", "µs", "loop", _OPENAI, None, "bundle", calls=300),
    Row("warm", "warm call, asynchronous", "µs", "loop", _ASYNC, None, function="acall", calls=300),
    Row("warm", "warm call, Bedrock, signed", "µs", "loop", _BEDROCK, 80, calls=300),
    Row("chunk", "streamed chunk", "µs", "loop", _OPENAI, 4, function="stream", calls=20, per=EVENTS),
    Row("chunk", "streamed chunk, asynchronous", "µs", "loop", _ASYNC, None, function="astream", calls=20, per=EVENTS),
    Row("chunk", "streamed chunk, Bedrock", "µs", "loop", _BEDROCK, 4, function="stream", calls=20, per=EVENTS),
    Row("chunk", "streamed chunk, one at a time", "µs", "loop", _OPENAI, None, "paced", "stream", 2, EVENTS),
    Row("chunk", "decoding a chunk, no network", "µs", "loop", _DECODE, None, calls=50, per=EVENTS),
)
GROUPS = ("import", "first", "warm", "chunk")
