"""Write what `docs/reference/client-library.md` says of the code, from the code.

    python scripts/write_reference.py            # writes what stands between its marks; the rest is written by hand
    python scripts/write_reference.py --check    # writes nothing; says whether anything would change

`<!-- write NAME -->` begins a part and `<!-- end -->` ends it; NAME is a key of `PARTS` or of `CLASSES`.
"""

import inspect
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))
from lambdallm.llm import errors  # noqa: E402
from lambdallm.llm.routing.factory import STRATEGIES, strategy_named  # noqa: E402
from lambdallm.llm.routing.fallback import FALLBACK, step_after  # noqa: E402
from lambdallm.llm.safety import personal, secrets  # noqa: E402
from lambdallm.llm.types import ChatRequest  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "client-library.md"
LLM = "lambdallm.llm"

CLASSES = {
    "clients": ("config.ClientConfig", "clients.base.AbstractLLMClient", "clients.wire.WireClient"),
    "routing": ("routing.LLMRouter", "routing.Candidate", "config.LLMConfig", "routing.RoutingDecision",
                "routing.RoutedAttempt"),
    "caching": ("caching.LLMCache", "caching.RedisLLMCache", "caching.DynamoDBLLMCache", "caching.SemanticCache",
                "types.PromptCache"),
    "limits": ("rate_limiting.RateLimiter", "rate_limiting.ConcurrencyLimit", "backends.RedisBackend",
               "backends.DynamoDBBackend", "health.circuit_breaker.ProviderCircuitBreaker"),
    "structured": ("structured.StructuredExtractor", "structured.Extraction", "parsers.ParserRegistry",
                   "parsers.JSONParser", "parsers.PydanticParser", "parsers.EnumParser", "parsers.CSVParser"),
    "streaming": ("streaming.StreamingResponse", "streaming.SSEStreamAdapter", "streaming.AbstractStreamingAdapter",
                  "streaming.ParallelStreamAggregator"),
    "money": ("pricing.PricingManager", "pricing.Price", "types.Usage", "pricing.EstimatingCounter",
              "pricing.TiktokenCounter", "pricing.HuggingFaceCounter", "pricing.ProviderTokenCounter",
              "pricing.TokenCounterRegistry"),
    "safety": ("safety.SecureLLMClient", "safety.OutputFilter", "safety.SecretsFilter", "safety.PersonalDataFilter",
               "safety.RegexFilter", "safety.BlocklistFilter", "safety.MaxLengthFilter"),
    "logging": ("inference.InferenceLogger", "notices.CallStarted", "notices.CallCompleted", "notices.CallFailed"),
    "container": ("module.LLMModule", "di.LLMProvider", "di.LLMRoutingProvider", "di.Container"),
}  # fmt: skip
"""Whose documentation stands under which heading, by its place in `lambdallm.llm`."""

PROTOCOLS = (
    "protocols.LLMClientProtocol", "protocols.BlockingLLMClientProtocol", "protocols.HandsOnProtocol",
    "protocols.EmbeddingClientProtocol", "protocols.TokenCounterProtocol", "protocols.ProviderRegistryProtocol",
    "protocols.RoutingStrategyProtocol", "protocols.LLMCacheProtocol", "protocols.CacheBackendProtocol",
    "protocols.QuotaBackendProtocol", "protocols.InferenceLoggerProtocol", "protocols.ContainerProtocol",
    "pricing.PricingSourceProtocol", "parsers.OutputParserProtocol",
)  # fmt: skip
NEXT = {
    "next": "the next candidate",
    "larger": "one with a larger context window",
    "elsewhere": "one of another provider",
    "stop": "nobody",
}


def classes(heading):
    """A section for each class of a heading."""
    return "\n\n".join(section(place) for place in CLASSES[heading])


def section(place):
    """A class: where it is, what its docstring says, its parameters."""
    home, _, name = place.rpartition(".")
    found = getattr(import_module(f"{LLM}.{home}"), name)
    lines = [f"### {name}", "", imports(home, name), "", documentation(found)]
    rows = [(f"`{one}`", f"`{kind}`", f"`{value}`" if value else "") for one, kind, value in parameters(found)]
    return "\n".join(lines) + (f"\n\n{table(('parameter', 'type', 'default'), rows)}" if rows else "")


def imports(home, name):
    """How to import it, and its blocking twin where there is one."""
    door = LLM if name in import_module(LLM).__all__ else f"{LLM}.{home}"
    said = f"`from {door} import {name}`"
    twin = f"{LLM}.{home.partition('.')[0]}.sync"
    if find_spec(twin.rpartition(".")[0]).submodule_search_locations and find_spec(twin) is not None:
        found = getattr(import_module(twin), name, None)
        if found not in (None, getattr(import_module(f"{LLM}.{home}"), name)):
            said += f"; without `await`: `from {twin} import {name}`"
    return said


def documentation(found):
    """Its docstring; where that sends the reader to the class it is derived from, that one's too."""
    said = inspect.getdoc(found)
    base = next((base for base in found.__mro__[1:] if f"those of `{base.__name__}`" in said), None)
    return said if base is None else inspect.getdoc(base).replace(f"{base.__name__}(", f"{found.__name__}(")


def parameters(found):
    """Names, types and defaults, from the fields of a value or the signature of a class."""
    if hasattr(found, "_fields"):
        kinds = dict(pair for base in reversed(found.__mro__) for pair in inspect.get_annotations(base).items())
        return [(n, kinds[n], shown(found._defaults[n]) if n in found._defaults else "") for n in found._fields]
    given = list(inspect.signature(found).parameters.values())
    return [(str(one).split(":")[0].split("=")[0].strip(), kind_of(one), default_of(one)) for one in given]


def kind_of(parameter):
    return "" if parameter.annotation is parameter.empty else str(parameter.annotation)


def default_of(parameter):
    return "" if parameter.default is parameter.empty else shown(parameter.default)


def shown(default):
    """A default as its reader would write it."""
    return getattr(default, "__name__", None) or ("{}" if default == {} else repr(default))


def options():
    """The fields of `ChatRequest`: what a call may be told."""
    kinds = ChatRequest.__annotations__
    ours = ("model", "messages", "stream", "dialect")
    rows = [(f"`{name}`", f"`{kinds[name]}`") for name in ChatRequest._fields if name not in ours]
    return table(("option", "type"), rows)


def error_table():
    """Every error that a call may come back with, what it means, and what the library and its reader do about it."""
    head = ("error", "what it means", "tried again", "a router then asks", "what to do")
    return table(head, [error_row(kind) for kind in below(errors.LLMError)])


def error_row(kind):
    again = "yes" if kind.retryable and kind.sent else ""
    return f"`{kind.__name__}`", first_sentence(kind), again, NEXT[step_after(kind("."), FALLBACK)], kind.fix


def below(root):
    """The classes derived from one, each before those derived from it."""
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from below(kind)


def strategy_table():
    """The strategies by the name that a configuration calls them by."""
    return table(("name", "class", "what it does", "options"), [strategy_row(name) for name in STRATEGIES])


def strategy_row(name):
    kind = type(strategy_named(name))
    known = parameters(kind) if "__init__" in vars(kind) else []
    options = ", ".join(f"`{one}={value}`" for one, _, value in known)
    return f"`{name}`", f"`{kind.__name__}`", first_sentence(kind), options


def protocol_table():
    """What to implement for a part of one's own."""
    return table(("protocol", "what it is", "methods"), [protocol_row(place) for place in PROTOCOLS])


def protocol_row(place):
    home, _, name = place.rpartition(".")
    protocol = getattr(import_module(f"{LLM}.{home}"), name)
    methods = [name for name, value in vars(protocol).items() if inspect.isfunction(value) and is_public(name)]
    return f"`{protocol.__name__}`", first_sentence(protocol), ", ".join(f"`{name}`" for name in methods)


def is_public(name):
    return not name.startswith("_") or name == "__call__"


def kinds():
    """What the built-in filters look for."""
    rows = [
        (f"`{name}`", ", ".join(f"`{kind}`" for kind in dict.fromkeys(rule.kind for rule in home.RULES)))
        for name, home in (("SecretsFilter", secrets), ("PersonalDataFilter", personal))
    ]
    return table(("filter", "kinds"), rows)


def first_sentence(found):
    text = " ".join(inspect.getdoc(found).split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", text)[0].rstrip(":.") + "."


def table(head, rows):
    """A Markdown table; a bar within a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


PARTS = {
    "options": options,
    "errors": error_table,
    "strategies": strategy_table,
    "protocols": protocol_table,
    "kinds": kinds,
}


def written(page):
    """The page with every marked part as the code has it now."""
    return re.sub(
        r"(<!-- write (\w+) -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}\n{(PARTS.get(found[2]) or (lambda: classes(found[2])))()}\n\n{found[3]}",
        page,
        flags=re.DOTALL,
    )


def main(arguments):
    page = PAGE.read_text()
    now = written(page)
    if "--check" not in arguments:
        PAGE.write_text(now)
    elif now != page:
        print("The reference is not what the code says. Run: python scripts/write_reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
