"""Running a prompt or a chain by itself, as the playground asks for it: in a handler made for it, beside the project's.

The settings are those of the handler beside it, so that it runs on the model that it runs on in the project; the
middleware and the session of that handler are left out, as there is no caller to check and nobody to remember.
"""

from __future__ import annotations

from ..core.handler import handler
from ..llm.errors import ConfigurationError
from .dev_inputs import edited, prompt_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..chains import Chain
    from ..core.context import LambdaLLMContext
    from ..core.handler import Function, Handler
    from ..core.prompt import Prompt
    from .dev_describe import Found

_SHARED = (
    "model", "timeout_strategy", "timeout_buffer", "max_retries", "fallback_model", "router", "checkpoint_store",
    "cache", "embedding_model",
)  # fmt: skip
_EDITS = {"template": "template", "system": "system_prompt", "model": "model", "temperature": "temperature",
          "max_tokens": "max_tokens"}  # fmt: skip
"""What the page may change of a prompt, and what a prompt calls it."""

_OF_STEPS = ("model", "temperature", "max_tokens")


def asker(found: Found, asked: Mapping[str, Any]) -> Handler:
    """The handler that runs what was asked for. Raises `ConfigurationError` for what the project does not have."""
    kind, id = asked.get("kind"), str(asked.get("id"))
    settings = found.settings_near(id)
    shared: Any = {} if settings is None else {name: getattr(settings, name) for name in _SHARED}
    made: Callable[[Function], Handler] = handler(**shared)
    inputs: Mapping[str, Any] = asked.get("inputs") or {}
    if kind == "prompt" and id in found.prompts:
        prompt = found.prompts[id].thing
        return made(lambda _, context: _prompted(context, _changed(prompt, asked), inputs))
    if kind == "chain" and id in found.chains:
        chain = found.chains[id].thing
        return made(lambda _, context: _chained(context, chain, asked))
    raise ConfigurationError(f"The project has no {kind} {id!r}.", fix="Reload the page: its code has changed.")


def _changed(prompt: Prompt[Any], asked: Mapping[str, Any]) -> Prompt[Any]:
    """The prompt with what was edited on the page."""
    changes = {field: asked[word] for word, field in _EDITS.items() if asked.get(word) is not None}
    if changes.get("template") == prompt.question:
        del changes["template"]
    if "template" in changes and not prompt.template:
        raise ConfigurationError("A prompt made of messages alone has no template to edit.", fix="Edit its file.")
    return edited(prompt, changes)


def _prompted(context: LambdaLLMContext, prompt: Prompt[Any], inputs: Mapping[str, Any]) -> Any:
    """The answer to a prompt: its text as it comes, or the data of its shape."""
    values = prompt_values(prompt, inputs)
    return prompt.invoke(context, **values) if prompt.shape is not None else prompt.stream(context, **values).texts()


def _chained(context: LambdaLLMContext, chain: Chain, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a chain gave. What the page changes is for the steps that leave it open."""
    given = {name: asked[name] for name in _OF_STEPS if asked.get(name) is not None}
    context.settings = context.settings.replace(**given)
    told = chain.run(context, **(asked.get("inputs") or {})).to_dict()
    return {name: told[name] for name in ("status", "output", "outputs", "checkpoint_id")}
