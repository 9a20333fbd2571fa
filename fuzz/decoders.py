"""Fuzz every decoder with libFuzzer: `python fuzz/decoders.py -max_total_time=600 corpus/`.

Needs `pip install atheris` beside LambdaLLM. The first byte of an input chooses the codec, the second what is read; the
rest are the bytes. What raises anything but our errors, or runs for more than five seconds, is a finding. A folder of
recorded bodies as seeds finds more: `--seeds DIR` writes one from a corpus of recorded exchanges.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["lambdallm.llm"]):
    import importlib
    import pkgutil

    from lambdallm.llm import wire
    from lambdallm.llm.errors import CallerError
    from lambdallm.llm.streaming.accumulator import Accumulator

    CODECS = [
        module
        for info in pkgutil.walk_packages(wire.__path__, f"{wire.__name__}.")
        if hasattr(module := importlib.import_module(info.name), "decode_response") and hasattr(module, "PATHS")
    ]


def read_answer(codec, body):
    """A whole answer."""
    codec.decode_response(200, (), body)


def read_error(codec, body):
    """An answer that is an error."""
    codec.decode_error(400 + len(body) % 200, (), body)


def read_stream(codec, body):
    """The body in pieces of a length that it says itself."""
    if not hasattr(codec, "StreamDecoder"):
        return
    step = 1 + (body[0] if body else 0)
    decoder, accumulator = codec.StreamDecoder(), Accumulator()
    for at in range(1, len(body), step):
        accumulator.add(decoder.feed(body[at : at + step]))
    accumulator.add(decoder.close())
    accumulator.completion()


def read_request(codec, body):
    """A client's request."""
    if not hasattr(codec, "StreamEncoder"):
        return
    try:
        codec.decode_request(body, model="m", stream=False)
    except CallerError:
        return


READERS = (read_answer, read_error, read_stream, read_request)


def one_input(data: bytes) -> None:
    """Read one input of the fuzzer."""
    if len(data) >= 2:
        READERS[data[1] % len(READERS)](CODECS[data[0] % len(CODECS)], data[2:])


def write_seeds(corpus: str, folder: str) -> None:
    """A seed for each recorded body and codec that reads its API."""
    import json
    from base64 import b64decode
    from pathlib import Path

    from lambdallm.testing.conformance.table import find

    numbers = {module.__name__: number for number, module in enumerate(CODECS)}
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in Path(corpus).glob("*/*/*.json"):
        exchange = json.loads(path.read_bytes())
        api, answer = find(exchange["provider"], exchange["api"]), exchange["response"]
        if api is None:
            continue
        number = numbers[f"{wire.__name__}.{api.codec_for(exchange.get('model') or '')}"]
        body = b64decode(answer["body_b64"]) if "body_b64" in answer else (answer.get("body") or "").encode()
        reader = 2 if exchange.get("stream") else 0
        head = bytes((number, reader)) + (b"\xff" if reader == 2 else b"")
        (Path(folder) / f"{path.parts[-3]}-{path.parts[-2]}-{path.stem}").write_bytes(head + body[:20_000])


def main() -> None:
    """Write seeds, or fuzz."""
    if "--seeds" in sys.argv:
        at = sys.argv.index("--seeds")
        write_seeds(*sys.argv[at + 1 : at + 3])
        return
    atheris.Setup([*sys.argv, "-timeout=5"], one_input)
    atheris.Fuzz()


main()
