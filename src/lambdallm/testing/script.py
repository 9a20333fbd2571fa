"""Run a flow against a script: no network, no clock, no waiting. What a policy decides is what the log shows."""

from __future__ import annotations

from .world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..llm.flow import Open, Send
    from .world import Later, Reply


class Script(World):
    """A world whose `replies` answer the requests in order, at once unless they come `Later`.

        script = Script([HttpResponse(429), HttpResponse(200, body=b"{}")])
        script.run(chat(request, target, CallSettings()))
        assert [effect.seconds for effect in script.of(Sleep)] == [1.0]

    Raises `AssertionError` when a flow sends more than the script answers.
    """

    def __init__(self, replies: Sequence[Reply | Later] = (), environ: Mapping[str, str] | None = None) -> None:
        self._replies = list(replies)
        super().__init__(self._next_reply, environ)

    def _next_reply(self, effect: Send | Open) -> Reply | Later:
        assert self._replies, f"The script has no answer left for {effect.request!r}."
        return self._replies.pop(0)
