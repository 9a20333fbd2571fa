"""What a run is called: the same where Lambda repeats an invocation, and where an invocation requeues itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

RESUME = "lambdallm_resume"
"""The key of an event under which a requeued invocation finds the id of the one that began the work."""


class RunName:
    """The id of one run, found when it is first asked for.

    Where none is given it is made of what began the work, the chain, its inputs, and how often these came before in
    this invocation; nobody can guess it. On Lambda the work began with the invocation's request id, which stays the
    same when Lambda repeats it: `repeats` says so. Elsewhere an id that comes twice is somebody's constant.
    """

    def __init__(
        self, context: Any, chain: str, inputs: Mapping[str, Any] | None, id: str | None, *, repeats: bool
    ) -> None:
        self._context, self._chain, self._inputs, self._id, self._repeats = context, chain, inputs, id, repeats

    @property
    def id(self) -> str:
        """The id."""
        if self._id is None:
            self._id = self._made()
        return self._id

    def _made(self) -> str:
        from .shape import digest

        began = origin(self._context, repeats=self._repeats)
        run = digest([began, self._chain, dict(self._inputs or {})])
        seen: dict[str, int] = kept(self._context).setdefault("chain_runs", {})
        seen[run] = seen.get(run, 0) + 1
        return digest([began, run, seen[run]]) + run


def token() -> str:
    """A name that nobody else has."""
    from os import urandom

    return urandom(8).hex()


def origin(context: Any, *, repeats: bool = True) -> str:
    """What began the work: the invocation that this one goes on from (by its event, or its handler's checkpoint), else
    this one."""
    space = kept(context)
    if "chain_origin" not in space:
        journal = getattr(context, "journal", None)
        named = getattr(context, "aws_request_id", None) if repeats else None
        going_on = _in_event(getattr(context, "event", None)) or getattr(journal, "id", None)
        space["chain_origin"] = going_on or named or token() + token()
    began: str = space["chain_origin"]
    return began


def kept(context: Any) -> dict[str, Any]:
    """Where a context keeps what is known of its chains; nowhere, where it has no attributes of its own."""
    return getattr(context, "__dict__", {})


def _in_event(event: Any) -> str | None:
    if not isinstance(event, dict):
        return None
    found = event.get(RESUME)
    if found is None and len(event.get("Records") or ()) == 1:
        found = _in_message(event["Records"][0])
    return found if isinstance(found, str) and found else None


def _in_message(record: Any) -> Any:
    """What the one message of an SQS event says."""
    body = record.get("body") if isinstance(record, dict) else None
    if not isinstance(body, str) or RESUME not in body:
        return None
    import json

    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content.get(RESUME) if isinstance(content, dict) else None
