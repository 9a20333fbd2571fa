"""The codec benchmark's two tables: whole calls beside the SDKs', and the codecs alone."""

from __future__ import annotations

from typing import Any, TypeAlias

from codec_cases import Protocol
from measure import Figure
from peers import OURS
from table import beside, markdown, number, recorded

Results: TypeAlias = list[tuple[Protocol, dict[tuple[str, str], Figure]]]

_ALONE = {
    "encode": "encode request",
    "decode": "decode answer",
    "json": "(its JSON)",
    "decode_chunk": "decode chunk",
    "json_chunk": "(its JSON)",
    "decode_request": "decode request",
    "encode_response": "encode answer",
    "encode_chunk": "encode chunk",
}
_WHOLE = {"call": "call", "stream_chunk": "chunk"}


def whole_table(results: Results) -> str:
    """Ours and the SDK's, with how many times ours the SDK takes."""
    head = ["whole call, µs", "SDK"]
    for title in _WHOLE.values():
        head += [f"{title}: {OURS}", "SDK"]
    lines = [head]
    for protocol, figures in results:
        for sdk in protocol.sdks:
            line = [protocol.name, sdk.name]
            for name in _WHOLE:
                ours = figures.get((OURS, name))
                line += [number(ours), beside(figures.get((sdk.name, name)), ours)]
            lines.append(line)
    return markdown(lines)


def alone_table(results: Results) -> str:
    """Codecs alone, beside the time that `json` takes for the same bytes."""
    lines = [["codec alone, µs", *_ALONE.values()]]
    for protocol, figures in results:
        lines.append([protocol.name, *(number(figures.get((OURS, name))) for name in _ALONE)])
    return markdown(lines)


def record(results: Results) -> dict[str, Any]:
    """Every figure with its spread, as JSON values."""
    return {
        protocol.name: {f"{who} {what}": recorded(figure) for (who, what), figure in figures.items()}
        for protocol, figures in results
    }
