"""What a project has to play with: its functions, prompts and chains, as the playground lists them.

It runs in a process of the functions, after their modules are imported: what it describes is what is there.
"""

from __future__ import annotations

import ast
import json
import os
import sys

from .._value import Value
from ..chains import Chain
from ..core.prompt import Prompt
from ..core.prompts import PromptRegistry
from .dev_inputs import chain_inputs, prompt_inputs
from .target import handlers
from .watch import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import ModuleType
    from typing import Any

    Shape = dict[str, Any]

_ALWAYS = ("local", "echo")
_SETTINGS = ("model", "timeout_strategy", "fallback_model")
_PROMPT_FOLDER = "prompts"


class Placed(Value):
    """Something of a project: the thing itself, and where it is defined."""

    thing: Any
    file: str
    line: int


class Found:
    """The prompts and chains of a project by their ids, and the functions by theirs, in the order of the files."""

    def __init__(self, root: str, entries: Iterable[Mapping[str, Any]]) -> None:
        self.root = root
        named = list(entries)
        self.modules = _of_project(root, dict.fromkeys(entry["module"] for entry in named))
        self.prompts: dict[str, Placed] = {}
        self.chains: dict[str, Placed] = {}
        self.functions: dict[str, Placed] = {}
        for module in self.modules:
            self._look_into(module)
        self._add_plain(named)
        self._read_folder()

    def has(self, kind: object, id: object) -> bool:
        """Whether there is a prompt or a chain of that id."""
        return id in {"prompt": self.prompts, "chain": self.chains}.get(str(kind), {})

    def settings_near(self, id: str) -> Any:
        """The settings of the handler beside a prompt or chain, else of the project's first; `None` without any."""
        home = id.partition(":")[0].rpartition(".")[0]
        each = sorted(self.functions.items(), key=lambda item: item[0].rpartition(".")[0] != home)
        return next((found.thing.settings for _, found in each if hasattr(found.thing, "settings")), None)

    def _look_into(self, module: ModuleType) -> None:
        file = module.__file__ or ""
        lines = _lines(file)
        names = sorted(vars(module), key=lambda name: lines.get(name, sys.maxsize))
        for name in names:
            value = getattr(module, name)
            id, line = f"{module.__name__}.{name}", lines.get(name)
            if line is None or id.startswith("_"):
                continue  # it is another module's, imported here
            if isinstance(value, Prompt):
                self._add_prompt(id, value, file, line)
            elif isinstance(value, PromptRegistry):
                self._read_registry(id, value, file, line)
            elif isinstance(value, Chain):
                self.chains[id] = Placed(value, file, line)
        for name in handlers(module):
            self.functions[f"{module.__name__}.{name}"] = Placed(getattr(module, name), file, lines.get(name, 1))

    def _add_plain(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """The functions that were named and have no `@handler`."""
        for entry in entries:
            id, module = f"{entry['module']}.{entry['function']}", sys.modules.get(entry["module"])
            if entry["function"] and id not in self.functions and hasattr(module, entry["function"]):
                file = str(getattr(module, "__file__", ""))
                line = _lines(file).get(entry["function"], 1)
                self.functions[id] = Placed(getattr(module, entry["function"]), file, line)

    def _read_registry(self, id: str, registry: PromptRegistry, file: str, line: int) -> None:
        for name in registry.names():
            for version in registry.versions(name):
                prompt = registry.get(name, version)
                marked = f"@{version}" if len(registry.versions(name)) > 1 else ""
                self._add_prompt(f"{id}:{name}{marked}", prompt, file, line)

    def _read_folder(self) -> None:
        """The files below `prompts/` that no registry has read."""
        folder = os.path.join(self.root, _PROMPT_FOLDER)
        if not os.path.isdir(folder):
            return
        for path in sorted(files(folder)):
            if path.endswith((".yaml", ".yml", ".json")) and not path.endswith(".schema.json"):
                try:
                    self._add_prompt(os.path.relpath(path, self.root), Prompt.from_yaml(path), path, 1)
                except Exception as error:  # noqa: BLE001  # a file that is no prompt is told, and hides nothing
                    print(f"{os.path.relpath(path, self.root)} is no prompt: {error}", file=sys.stderr)

    def _add_prompt(self, id: str, prompt: Prompt[Any], file: str, line: int) -> None:
        known = any(prompt == other.thing for other in self.prompts.values())
        if id.endswith((".yaml", ".yml", ".json")) and known:
            return
        self.prompts[id] = Placed(prompt, file, line)


def described(found: Found) -> Shape:
    """The project for the page. What only the server knows, such as URLs, is added there."""
    from .._version import __version__

    prompts = [_prompt(id, one.thing, _place(found, one)) for id, one in found.prompts.items()]
    functions = [_function(id, one.thing, _place(found, one)) for id, one in found.functions.items()]
    chains = [_chain(id, one.thing, _place(found, one)) for id, one in found.chains.items()]
    used = [item["model"] for item in prompts] + [item["settings"].get("model") for item in functions]
    used += [item["settings"].get("fallback_model") for item in functions]
    return {
        "name": os.path.basename(found.root) or "project",
        "version": __version__,
        "functions": functions,
        "prompts": prompts,
        "chains": chains,
        "agents": [],
        "models": list(dict.fromkeys([*(str(name) for name in used if name), *_ALWAYS, *_ready_models()])),
        "samples": _events(found.root),
    }


def _function(id: str, function: Callable[..., Any], place: Shape) -> Shape:
    named: Shape = {"id": id, "name": id.rpartition(".")[2], **place}
    return {**named, "doc": _paragraph(function.__doc__), "settings": _settings(function)}


def _settings(function: Any) -> Shape:
    """What the handler decides, with the project's settings in the place of what the code left open."""
    from ..core.config import project_config
    from ..core.handler import configured  # what an invocation does first

    if not hasattr(function, "settings"):
        return dict.fromkeys(_SETTINGS)
    try:
        settings = configured(function.settings, project_config())
    except Exception:  # noqa: BLE001  # an invocation will tell of settings that can't be read
        settings = function.settings
    values = {name: getattr(settings, name) for name in _SETTINGS}
    return {name: None if value is None else str(value) for name, value in values.items()}


def _prompt(id: str, prompt: Prompt[Any], place: Shape) -> Shape:
    model = None if prompt.model is None else str(prompt.model)
    named = {"id": id, "name": prompt.name or id.rpartition(".")[2] if "/" not in id else prompt.name or id, **place}
    return {
        **named, "version": prompt.version, "template": prompt.question, "system": prompt.system_prompt, "model": model,
        "temperature": prompt.temperature, "max_tokens": prompt.max_tokens,
        "structured": prompt.shape is not None, "inputs": prompt_inputs(prompt),
    }  # fmt: skip


def _chain(id: str, chain: Chain, place: Shape) -> Shape:
    steps = [_step(node) for node in chain.steps]
    return {"id": id, "name": chain.name, **place, "steps": steps, "inputs": chain_inputs(chain)}


def _step(node: Any) -> Shape:
    """A step, a group or a map, and what is inside it."""
    kind = getattr(node, "kind", "step")
    if kind == "map":
        inside = [node.step]
    else:
        inside = list(getattr(node, "steps", ())) or list(getattr(getattr(node, "chain", None), "steps", ()))
    word = kind if kind in ("parallel", "map", "chain") else "function" if kind == "func" else "step"
    return {"name": node.name, "kind": word, "children": [_step(one) for one in inside]}


def _place(found: Found, one: Placed) -> Shape:
    return {"file": os.path.relpath(one.file, found.root), "line": one.line}


def _of_project(root: str, modules: Iterable[str]) -> list[ModuleType]:
    """The modules named, and those of the project that they have imported; in the order of their files."""
    named = [sys.modules[name] for name in modules if name in sys.modules]
    own = [module for module in list(sys.modules.values()) if _is_own(root, module) and module not in named]
    return [*named, *sorted(own, key=lambda module: module.__file__ or "")]


def _is_own(root: str, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None) or ""
    inside = file.startswith(root + os.sep) and f"{os.sep}site-packages{os.sep}" not in file
    return inside and module.__name__ != "__main__" and not module.__name__.startswith("lambdallm.")


def _lines(file: str) -> dict[str, int]:
    """On which line of a file each of its names is first given a value."""
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, int] = {}
    for name, line in _defined(tree):
        found.setdefault(name, line)
    return found


def _defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node.lineno
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from ((each.id, node.lineno) for each in targets if isinstance(each, ast.Name))


def _paragraph(doc: str | None) -> str | None:
    from inspect import cleandoc

    return " ".join(cleandoc(doc).split("\n\n")[0].split()) if doc and doc.strip() else None


def _events(root: str) -> list[Shape]:
    """The project's own events: the JSON files in `events/`."""
    folder, found = os.path.join(root, "events"), []
    for path in sorted(files(folder)) if os.path.isdir(folder) else ():
        if path.endswith(".json"):
            try:
                with open(path, encoding="utf-8-sig") as file:
                    found.append({"name": os.path.relpath(path, root), "event": json.load(file)})
            except (OSError, ValueError):
                continue
    return found


def _ready_models() -> list[str]:
    """The default models of the providers whose keys are set here."""
    from ..llm.auth.keys import configured_key
    from ..llm.catalog.loader import catalog

    ready = []
    for provider in catalog().all():
        names = [name for scheme in provider.auth for name in scheme.env]
        has_key = any(os.environ.get(name) for name in names) or configured_key(provider, os.environ) is not None
        if has_key and provider.default_model and provider.wire:
            ready.append(f"{provider.name}/{provider.default_model}")
    return ready
