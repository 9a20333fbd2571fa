"""What the codecs of prompts share: a request written as one prompt, with its settings beside it."""

from __future__ import annotations

from ...types import EMPTY
from .prompts import template_of, write_prompt
from .settings import encoded, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ...types import ChatRequest
    from ..codec import Encoded, Facts
    from .prompts import Template


def encode_prompt(
    request: ChatRequest,
    facts: Facts,
    *,
    templates: Mapping[str, Template],
    usual: str,
    places: Mapping[str, str],
    field: str = "prompt",
    always: Mapping[str, object] = EMPTY,
    taken: Collection[str] = (),
) -> Encoded:
    """The body: the prompt in `field`, the settings at their places, and what is `always` sent unless asked otherwise.

    Raises `UnsupportedParameterError` naming the first thing that the body can't say.
    """
    warnings: list[str] = []
    settings = settings_of(request, facts, places, warnings, taken=taken)
    prompt = write_prompt(request.messages, template_of(facts, templates, usual), warnings)
    return encoded({field: prompt, **always, **settings}, request, warnings)
