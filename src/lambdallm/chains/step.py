"""What a chain is made of: `Step`, `Parallel` for some side by side, `Map` for one step over a list.

They only say what is to be done, and are checked when they are made; a step's place in a chain is checked by `check`.
"""

from __future__ import annotations

import re

from ..core.prompt import Prompt
from ..llm.errors import ConfigurationError
from .references import template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from ..llm.models import Model
    from .chain import Chain
    from .references import Reference, Template

    Node: TypeAlias = "Step | Parallel | Map"

RESERVED = ("item", "index", "inputs", "outputs", "values", "context", "idempotency_key")
"""Names that functions may ask for, and that no step can have."""

_OF_PROJECTS = ("max_tokens", "temperature")
_PROMPT_OPTIONS = ("system_prompt", "max_tokens", "temperature")


class Step:
    """One step: a prompt for a model, a function, or another chain.

        Step("facts", "List the facts in: {text}", output_schema={"facts": [str]})
        Step("count", func=lambda facts: len(facts["facts"]))
        Step("more", "Go deeper into: {facts.output}", condition=lambda count: count > 3, model="openai/gpt-5")
        Step("review", chain=review, inputs={"text": "{facts.output}"})

    A prompt is text, or a `Prompt`. What a function and a condition are given, their parameters' names say: a value by
    its name (an input of the run, or the output of an earlier step), `values`, `inputs` or `outputs` (all of them),
    `context`, and `idempotency_key`, which is the same each time this step of this run is tried. A single parameter of
    another name is given `values`. Both may be `async def` in `Chain.arun`.

    Where `condition` gives false the step is skipped, and `default` is its output. `inputs` gives values names of the
    step's own: a reference, a text with references, or anything else as it is. `output_schema` is a shape or a type: a
    model is asked for it, and what a function gives is checked.

    `max_retries` is how often a failed call, or function, is tried again; `timeout` is in seconds, and a function that
    blocks can't be stopped by it where no event loop runs; `cache=False` leaves caches out; `max_cost` is in dollars.

    Raises `ConfigurationError` and `PromptError` for what does not fit together.
    """

    def __init__(
        self,
        name: str,
        prompt: str | Prompt[Any] | None = None,
        func: Callable[..., Any] | None = None,
        model: Model | str | None = None,
        output_schema: Any = None,
        condition: Callable[..., Any] | None = None,
        *,
        chain: Chain | None = None,
        inputs: Mapping[str, Any] | None = None,
        default: Any = None,
        max_retries: int | None = None,
        timeout: float | None = None,
        cache: bool = True,
        max_cost: float | None = None,
        **prompt_options: Any,
    ) -> None:
        self.name = named(name, "step")
        self.func, self.chain, self.condition = func, chain, condition
        self.model, self.output_schema, self.default = model, output_schema, default
        self.max_retries, self.timeout, self.cache, self.max_cost = max_retries, timeout, cache, max_cost
        self.inputs: dict[str, Any] = {key: _bound(value) for key, value in (inputs or {}).items()}
        self.prompt, self.references = _prompt(self, prompt, prompt_options)
        self.untuned = tuple(name for name in _OF_PROJECTS if isinstance(prompt, str) and name not in prompt_options)
        """The settings of its prompt that a project's take the place of: those it was not given as a text."""
        _check_kind(self, prompt)
        _check_numbers(self)

    @property
    def optional(self) -> tuple[str, ...]:
        """The variables of its prompt that need no value: they have defaults, or stand for a conversation."""
        return () if self.prompt is None else (*self.prompt.defaults, *self.prompt.placeholders)

    @property
    def kind(self) -> str:
        """`prompt`, `func` or `chain`."""
        return "prompt" if self.prompt is not None else "func" if self.func is not None else "chain"

    def __repr__(self) -> str:
        return f"Step({self.name!r}, {self.kind})"


class Parallel:
    """Steps side by side, at most `concurrency` of them at a time. None can refer to another one of them.

        Parallel("both", [Step("pros", "Pros of {plan}"), Step("cons", "Cons of {plan}")])

    Later steps refer to each by its name (`{pros.output}`), and to all of them by the group's (`{both.pros}`). When one
    fails no other is begun, and those under way are waited for: what is paid for is kept. In a handler that is not
    async, each has a thread while it runs.
    """

    def __init__(
        self,
        name: str,
        steps: Sequence[Step | Map | Parallel | Chain],
        *,
        concurrency: int | None = None,
        condition: Callable[..., Any] | None = None,
    ) -> None:
        self.name = named(name, "group")
        self.steps: tuple[Node, ...] = nodes(steps, f"The group {name!r}")
        self.concurrency, self.condition = _concurrency(concurrency, name), condition
        self.default: Any = None

    kind = "parallel"

    def __repr__(self) -> str:
        return f"Parallel({self.name!r}, {list(self.steps)!r})"


class Map:
    """One step for each item of a list, at most `concurrency` at a time; its output is the list of theirs, in order.

        Map(Step("summaries", "Summarise: {item}"), over="{pages.output}", concurrency=4)

    The step can refer to `{item}` and `{index}` (from 0). A mapping is gone through by its items: `{item.key}` and
    `{item.value}`. `over` is a reference, or a list.
    """

    def __init__(
        self,
        step: Step | Chain,
        over: str | Iterable[Any],
        *,
        concurrency: int | None = 8,
        condition: Callable[..., Any] | None = None,
    ) -> None:
        (inner,) = nodes([step], "Map")
        if not isinstance(inner, Step):
            raise ConfigurationError(f"Map is given {step!r}.", fix="Give it a Step or a Chain.")
        self.step: Step = inner
        self.name, self.default = self.step.name, self.step.default
        if not hasattr(over, "__iter__"):
            fix = 'Name a value, such as over="{pages.output}", or give a list.'
            raise ConfigurationError(f"Map {self.name!r} goes over {over!r:.80}.", fix=fix)
        self.over: Template | list[Any] = template(over) if isinstance(over, str) else list(over)
        if isinstance(over, str) and self.over.whole is None:  # type: ignore[union-attr]  # a template, by the line above
            raise ConfigurationError(
                f"Map over {over!r}: that is no reference.", fix='Name a value, such as over="{pages.output}".'
            )
        self.concurrency, self.condition = _concurrency(concurrency, self.name), condition

    kind = "map"

    def __repr__(self) -> str:
        return f"Map({self.step!r}, over={self.over!r})"


def nodes(steps: Iterable[Any], where: str) -> tuple[Node, ...]:
    """What people list as steps; a chain among them is a step that runs it."""
    from .chain import Chain

    found = tuple(Step(one.name, chain=one) if isinstance(one, Chain) else one for one in steps)
    for one in found:
        if not isinstance(one, (Step, Parallel, Map)):
            raise ConfigurationError(f"{where} has {one!r:.80}.", fix="Give it Step, Parallel, Map or Chain objects.")
    if not found:
        raise ConfigurationError(f"{where} has no steps.", fix="Give it at least one Step.")
    return found


def named(name: Any, what: str) -> str:
    """A name that references can say. Raises `ConfigurationError` for another one."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][\w-]*", name):
        raise ConfigurationError(
            f"A {what} is named {name!r}.", fix="Begin with a letter, and use letters, digits, _ and - alone."
        )
    if name in RESERVED:
        raise ConfigurationError(f"A {what} is named {name!r}, which has a meaning of its own.", fix="Rename it.")
    return name


def _prompt(step: Step, prompt: Any, options: Mapping[str, Any]) -> tuple[Prompt[Any] | None, Mapping[str, Reference]]:
    """The step's prompt with plain variables, and what they refer to."""
    for option in options:
        if option not in _PROMPT_OPTIONS:
            from .references import suggestion

            known = (*_PROMPT_OPTIONS, "chain", "inputs", "default", "max_retries", "timeout", "cache", "max_cost")
            raise ConfigurationError(f"Step {step.name!r} has no option {option!r}.", fix=suggestion(option, known))
    if isinstance(prompt, Prompt):
        made = prompt.with_options(options) if options else prompt
        return made, {name: template(f"{{{name}}}").references[name] for name in made.variables}
    if prompt is None:
        if options:
            raise ConfigurationError(f"Step {step.name!r} has {', '.join(options)} and no prompt.", fix="Leave it out.")
        return None, {}
    if not isinstance(prompt, str) or not prompt:
        raise ConfigurationError(f"The prompt of step {step.name!r} is {prompt!r}.", fix="Give it text, or a Prompt.")
    system = options.get("system_prompt") or ""
    both = template(f"{prompt}\0{system}")
    text, _, told = both.text.partition("\0")
    return Prompt(text, **{**options, "system_prompt": told or None, "name": step.name}), both.references


def _bound(value: Any) -> Any:
    """A value of `inputs`: a template where it is a text."""
    return template(value) if isinstance(value, str) else value


def _check_kind(step: Step, prompt: Any) -> None:
    kinds = {"prompt": prompt, "func": step.func, "chain": step.chain}
    given = [word for word, value in kinds.items() if value is not None]
    if len(given) != 1:
        said = f"has {' and '.join(given)}" if given else "has neither prompt nor func"
        raise ConfigurationError(f"Step {step.name!r} {said}.", fix="Give it one of prompt, func and chain.")
    _check_use(step)
    for word in ("func", "condition"):
        value = getattr(step, word)
        if value is not None and not callable(value):
            raise ConfigurationError(f"{word} of step {step.name!r} is {value!r}.", fix="Give it a function.")
    for key in step.inputs:
        if not str(key).isidentifier():
            raise ConfigurationError(f"inputs of step {step.name!r} names {key!r}.", fix="Name values as in Python.")


_OF_PROMPTS = {"model": None, "cache": True, "max_cost": None}
_OF_EFFECTS = {"output_schema": None, "max_retries": None, "timeout": None}


def _check_use(step: Step) -> None:
    """Raise `ConfigurationError` for what says nothing to a step of its kind."""
    unused = {} if step.prompt is not None else _OF_PROMPTS if step.chain is None else {**_OF_PROMPTS, **_OF_EFFECTS}
    given = [word for word, usual in unused.items() if getattr(step, word) is not usual]
    if given:
        what = "a function" if step.chain is None else "a chain"
        raise ConfigurationError(f"Step {step.name!r} is {what}, which has no {given[0]}.", fix="Leave it out.")
    if step.chain is not None and step.chain.max_total_cost is not None:
        raise ConfigurationError(
            f"Chain {step.chain.name!r} has a max_total_cost, and is a step of another chain.",
            fix="Give the limit to the outer chain, or max_cost to its steps.",
        )


def _check_numbers(step: Step) -> None:
    for word in ("max_retries", "timeout", "max_cost"):
        value = getattr(step, word)
        if value is not None and not is_number(value):
            raise ConfigurationError(f"{word} of step {step.name!r} is {value!r}.", fix="Use a number from 0.")
    if step.max_retries is not None and step.max_retries != int(step.max_retries):
        said = f"max_retries of step {step.name!r} is {step.max_retries!r}."
        raise ConfigurationError(said, fix="Use a whole number from 0.")


def is_number(value: Any) -> bool:
    """Whether it is a number from 0, and an end is in sight."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def _concurrency(value: Any, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigurationError(f"concurrency of {name!r} is {value!r}.", fix="Use a whole number from 1, or None.")
    return value
