"""What an entry of the catalog says: a provider's definition and the facts of its models, checked as they are read."""

from __future__ import annotations

from ..._value import Value
from ..errors import ConfigurationError
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


class AuthScheme(Value):
    """One way to prove who is calling; of several, the first whose key is found is used.

    `type` is `bearer`, `header` (the bare key in `header`), `query` (the key as parameter `query`), `sigv4` (for AWS
    `service`), `google` and `azure` (an access token for `scope`, from what their environments name), or `none`. `env`
    names environment variables to look in, in order; for `google` and `azure`, those of a token that is ready.
    """

    type: str
    header: str = "Authorization"
    query: str = "key"
    service: str = ""
    scope: str = ""
    env: tuple[str, ...] = ()


PRICED_APART = {
    "cache_write_1h": "cache_write",
    "audio_input": "input",
    "audio_cached": "cached",
    "audio_output": "output",
    "image_input": "input",
    "image_output": "output",
    "video_input": "input",
    "video_output": "output",
    "web_search": "",
    "file_search": "",
}
"""What a price list may price apart, and the count of a usage that it is part of; `""` for a fee beside the tokens.

`audio_input` and the like are what is no part of the cached input. Of `cache_write` those kept for an hour are apart.
"""


class Price(Value):
    """US dollars for one million tokens. What has no price of its own costs what `input` (or `output`) does.

    A call with more than `over` input tokens is charged by `over_price` as a whole. `rates` are prices of kinds in
    `PRICED_APART`, for one million of each; `tiers` are those of service tiers by the provider's word: a factor on
    every price of a token, or a whole price list.
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None
    reasoning: float | None = None
    over: int | None = None
    over_price: Price | None = None
    rates: Mapping[str, float] = EMPTY
    tiers: Mapping[str, float | Price] = EMPTY

    def at_tier(self, tier: str) -> Price | None:
        """The price list of a service tier, or of several joined by `+`; `None` where one has no known price."""
        price = self
        for word in tier.split("+"):
            found = price.tiers.get(word)
            if found is None:
                return None
            price = found if isinstance(found, Price) else price.times(found)
        return price

    def times(self, factor: float) -> Price:
        """The list with every price of a token multiplied; fees stay."""
        amounts = {name: getattr(self, name) for name in ("input", "output", "cached", "cache_write", "reasoning")}
        scaled = {name: round(amount * factor, 9) for name, amount in amounts.items() if amount is not None}
        return self.replace(
            **scaled,
            over_price=None if self.over_price is None else self.over_price.times(factor),
            rates={kind: round(rate * factor, 9) if PRICED_APART[kind] else rate for kind, rate in self.rates.items()},
            tiers={word: each.times(factor) if isinstance(each, Price) else each for word, each in self.tiers.items()},
        )


class ModelFacts(Value):
    """What is known of one model. `None` and empty mean unknown, not "no".

    `context_window` and `max_output_tokens` count tokens; `input` and `output` are what it takes and gives (`text`,
    `image`, `pdf`, `audio`, `video`; an embedding model gives `embedding`). `regional` is the factor on its price where
    a call stays in one region; `facts` steer the codec for this model alone.
    """

    id: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    tools: bool | None = None
    json_schema: bool | None = None
    thinking: bool | None = None
    price: Price | None = None
    regional: float | None = None
    aliases: tuple[str, ...] = ()
    facts: Mapping[str, Any] = EMPTY


class ProviderDefinition(Value):
    """Everything that tells one provider from another on the same wire protocol.

    `endpoint` may hold `{variables}`: `variables` maps each to the environment variables to read it from, the last
    entry after `=` being a literal default; `endpoints` are other ones for certain values of one (`location=global`).
    `wire`, `embedding_wire` and `count_wire` name the protocols of chat, embeddings and token counts; a provider may
    have embeddings alone. `paths` overrides where their operations live, by operation (`chat`) or, for a further
    protocol that the provider speaks, by protocol and operation (`openai_responses:chat`); `health` is what a health
    check gets, such as the list of models. `transport` names an in-process transport by import path. `timeout` is the
    longest silence, in seconds. `families` gives facts to all models whose id begins with its key, the longer key over
    the shorter one.

    Facts are what the protocols' codecs document, and these, which are read before a codec is: `wire`,
    `embedding_wire`, `count_wire` and `paths` (of a model, instead of its provider's), `region_prefixes` (of ids),
    `thinking_tags` (thinking stands between tags in the text), `schema_keywords` (those of JSON Schema that it takes
    beyond the ones its protocol is known to take: a list, or true for all there are), and for embeddings `most_texts`
    and `most_tokens` of one request and `most_text_tokens` of one text. A model id that begins with one of
    `model_prefixes` is this provider's,
    where a call names no provider.
    """

    name: str
    endpoint: str
    wire: str = ""
    title: str = ""
    docs: str = ""
    endpoints: Mapping[str, str] = EMPTY
    endpoint_env: tuple[str, ...] = ()
    variables: Mapping[str, tuple[str, ...]] = EMPTY
    paths: Mapping[str, str] = EMPTY
    auth: tuple[AuthScheme, ...] = ()
    headers: Mapping[str, str] = EMPTY
    secret_path: str | None = None
    default_model: str | None = None
    embedding_wire: str | None = None
    count_wire: str | None = None
    default_embedding_model: str | None = None
    timeout: float = 60.0
    transport: str = ""
    facts: Mapping[str, Any] = EMPTY
    families: Mapping[str, Mapping[str, Any]] = EMPTY
    model_prefixes: tuple[str, ...] = ()
    models: Mapping[str, Mapping[str, Any]] = EMPTY
    source: str = ""
    dated: str = ""

    def model(self, id: str) -> ModelFacts:
        """The facts of a model, by id, alias, or the id without its date or region prefix.

        A model the entry does not list has no facts but its id.
        """
        return _regional(_model(f"{self.name}/{id}", id, self._entry(id)), id)

    def lists(self, id: str) -> bool:
        """Whether the entry has facts of a model, under any of its names."""
        return self._entry(id) is not EMPTY

    def _entry(self, id: str) -> Mapping[str, Any]:
        if (entry := self.models.get(id)) is not None:
            return entry
        known = self.regionless(id)
        names = {id, undated(id), known, undated(known)}
        found = (m for k, m in self.models.items() if k in names or not names.isdisjoint(m.get("aliases", ())))
        return next(found, EMPTY)

    def facts_of(self, model: ModelFacts) -> dict[str, Any]:
        """What is declared of a model: the provider's facts, under its families', under its own."""
        id = self.regionless(model.id)
        merged = dict(self.facts)
        for prefix in sorted(self.families, key=len):
            if id.startswith(prefix):
                merged |= self.families[prefix]
        for name in ("max_output_tokens", "json_schema"):
            if (value := getattr(model, name)) is not None:
                merged[name] = value
        return merged | dict(model.facts)

    def regionless(self, id: str) -> str:
        """A model's id without the region prefix that the provider declares, as in `us.`."""
        prefix = next((p for p in self.facts.get("region_prefixes", ()) if id.startswith(p)), "")
        return id.removeprefix(prefix)


_AUTH_TYPES = ("bearer", "header", "query", "sigv4", "google", "azure", "none")
_OBJECTS = ("models", "facts", "paths", "families", "endpoints", "variables", "headers")
WIRES = {"openai": "openai_chat", "anthropic": "anthropic_messages", "bedrock": "bedrock_converse"}
_DOCUMENTED_AUTH = {"bearer": AuthScheme("bearer"), "x-api-key": AuthScheme("header", header="x-api-key")}
_TUPLES = ("endpoint_env", "model_prefixes")


_READ_HERE = ("model_id", "request_transformer", "response_transformer", "auth_type", "auth_header")
_OF_THE_FUNCTION = ("enabled", "rollout", "options", "max_retries", "failure_threshold", "recovery_seconds")
"""What an entry of `provider_configs.json` says to the single function alone (`gateway/unified`)."""


def provider_definition(name: str, entry: Mapping[str, Any]) -> ProviderDefinition:
    """A definition from its JSON object, in our form or in that of `provider_configs.json`.

    Raises `ConfigurationError` naming the entry, the field and the nearest known one.
    """
    entry = _from_documented_form(name, entry)
    _check_fields(name, entry, ProviderDefinition._fields)
    values: dict[str, Any] = {**entry, "name": name}
    values["auth"] = tuple(_auth(name, scheme) for scheme in entry.get("auth", ()))
    for field, kind in (*((each, dict) for each in _OBJECTS), ("endpoint", str), ("wire", str)):
        if not isinstance(values.get(field, kind()), kind):
            raise _bad(name, field, values[field], f"a JSON {'string' if kind is str else 'object'}")
    values["variables"] = {k: _names(v) for k, v in values.get("variables", EMPTY).items()}
    values |= {field: _names(entry[field]) for field in _TUPLES if field in entry}
    for field in ("endpoint", "wire"):
        if not values.get(field) and (field == "endpoint" or not values.get("embedding_wire")):
            raise ConfigurationError(f"Provider {name!r} has no {field!r}.", fix=f"Add {field!r} to its definition.")
    if not isinstance(values.get("timeout", 60), (int, float)) or values.get("timeout", 60) <= 0:
        raise _bad(name, "timeout", values["timeout"], "a number of seconds above 0")
    return ProviderDefinition(**values)


def _from_documented_form(name: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry in our form, where it came with the fields of `provider_configs.json`."""
    if "request_transformer" not in entry:
        return entry
    values = {k: v for k, v in entry.items() if k not in _READ_HERE and k not in _OF_THE_FUNCTION}
    transformer = str(entry["request_transformer"])
    protocol = transformer.removesuffix("_request")
    if entry.get("response_transformer", f"{protocol}_response") != f"{protocol}_response":
        raise _bad(name, "response_transformer", entry["response_transformer"], f"'{protocol}_response'")
    kind = str(entry.get("auth_type", "bearer"))
    scheme = _DOCUMENTED_AUTH.get(kind)
    if scheme is None:
        raise _bad(name, "auth_type", kind, "one of " + ", ".join(_DOCUMENTED_AUTH))
    env = f"{name.upper().replace('-', '_')}_API_KEY"
    auth = {"type": scheme.type, "header": entry.get("auth_header", scheme.header), "env": [env]}
    values |= {"wire": WIRES.get(protocol, protocol), "auth": [auth], "paths": {"chat": "", "stream": ""}}
    return values | ({"default_model": entry["model_id"]} if "model_id" in entry else {})


def _auth(name: str, scheme: Mapping[str, Any]) -> AuthScheme:
    if not isinstance(scheme, dict) or "type" not in scheme:
        raise _bad(name, "auth", scheme, "a list of objects with a 'type'")
    _check_fields(f"{name}.auth", scheme, AuthScheme._fields)
    if scheme["type"] not in _AUTH_TYPES:
        raise ConfigurationError(
            f"Provider {name!r}: auth has the type {scheme['type']!r}.",
            fix=suggestion(str(scheme["type"]), _AUTH_TYPES),
        )
    return AuthScheme(**{**scheme, "env": _names(scheme.get("env", ()))})


def _model(where: str, id: str, entry: Mapping[str, Any]) -> ModelFacts:
    _check_fields(where, entry, ModelFacts._fields)
    values: dict[str, Any] = {**entry, "id": entry.get("id", id)}
    if (price := entry.get("price")) is not None:
        values["price"] = price_of(f"{where}.price", price)
    values |= {field: _names(entry[field]) for field in ("input", "output", "aliases") if field in entry}
    return ModelFacts(**values)


def _regional(model: ModelFacts, id: str) -> ModelFacts:
    """The model with its price where this id is served: `global.` anywhere, all others in a region."""
    if model.regional is None or model.price is None or id.startswith("global."):
        return model
    return model.replace(price=model.price.times(model.regional))


def price_of(where: str, entry: object) -> Price:
    """A price from its JSON object; raises `ConfigurationError` naming the place, the field and what it should be."""
    if not isinstance(entry, dict):
        fix = "Give US dollars for one million tokens, as in {'input': 2.5, 'output': 10}."
        raise ConfigurationError(f"{where!r} is {entry!r}.", fix=fix)
    _check_fields(where, entry, Price._fields)
    _check_fields(f"{where}.rates", entry.get("rates", EMPTY), tuple(PRICED_APART))
    numbers = {k: v for k, v in entry.items() if k not in ("over_price", "rates", "tiers") and v is not None}
    numbers |= entry.get("rates", EMPTY)
    for name, value in {"input": None, "output": None, **numbers}.items():
        if type(value) not in (int, float) or value < 0:
            raise ConfigurationError(f"{where!r}: {name} is {value!r}.", fix="It should be a number of at least 0.")
    values = dict(entry)
    if (over := entry.get("over_price")) is not None:
        values["over_price"] = price_of(f"{where}.over_price", over)
    if tiers := entry.get("tiers"):
        values["tiers"] = {word: _tier(f"{where}.tiers.{word}", each) for word, each in tiers.items()}
    return Price(**values)


def _tier(where: str, entry: object) -> float | Price:
    if isinstance(entry, (int, float)) and type(entry) is not bool and entry >= 0:
        return float(entry)
    return price_of(where, entry)


def undated(id: str) -> str:
    """The id without the date of a snapshot: `-20250929`, `-2025-08-07`, `@20250929` or `@default`."""
    name, marked, version = id.rpartition("@")
    if name and marked and (version.isdigit() or version == "default"):
        return name
    for length in (9, 11):
        tail = id[-length:]
        if tail.startswith("-") and tail.replace("-", "").isdigit() and len(tail.replace("-", "")) == 8:
            return id[:-length]
    return id


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _check_fields(where: str, entry: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for field in entry:
        if field not in known:
            raise ConfigurationError(f"{where!r} has an unknown field {field!r}.", fix=suggestion(field, known))


def _bad(name: str, field: str, value: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"Provider {name!r}: {field} is {value!r}.", fix=f"It should be {wanted}.")


def suggestion(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known words, or all of them."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(names)}."
