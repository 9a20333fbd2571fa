"""cargo-lambda without Rust: it asks `cargo metadata` for a project's functions, and is told of one never built."""

import json
import os
from contextlib import contextmanager

import servers

_PROGRAM = {
    "kind": ["bin"],
    "crate_types": ["bin"],
    "name": "none",
    "src_path": "none.rs",
    "edition": "2021",
    "doc": False,
    "doctest": False,
    "test": False,
}
_PACKAGE = {
    "name": "none",
    "version": "0.1.0",
    "id": "none",
    "dependencies": [],
    "targets": [_PROGRAM],
    "features": {},
    "manifest_path": "Cargo.toml",
}
_METADATA = {"packages": [_PACKAGE], "workspace_members": ["none"], "resolve": None, "target_directory": "t",
            "version": 1, "workspace_root": "."}  # fmt: skip
CARGO = f"#!/bin/sh\necho '{json.dumps(_METADATA)}'\n"


@contextmanager
def cargo_lambda(folder):
    """Its Lambda without a function of its own. Gives the port."""
    cargo = folder / "cargo"
    cargo.write_text(CARGO)
    cargo.chmod(0o755)
    (folder / "Cargo.toml").touch()
    port = servers.free_port()
    command = [str(servers.lambda_tools().cargo_lambda), "lambda", "watch", "--only-lambda-apis"]
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    with servers.running([*command, "-A", "127.0.0.1", "-P", str(port)], port, folder, {"PATH": path}):
        yield port
