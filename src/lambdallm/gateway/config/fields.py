"""The table of the gateway's settings: what `gateway.yaml` may say, each with its kind and a sentence. Data alone.

The checks and the JSON Schema for editors are made from it.
"""

from __future__ import annotations

from ...core.config.fields import COUNT, NUMBER, TEXT, TRUTH, WHOLE
from ...core.config.kinds import Field, Kind

SECRET = Kind("text, best a reference such as secret:name", secret=True)
PLACE = Kind("text", secret=True)
NAMES = Kind("a list of texts", (list,), items=TEXT)
OPTIONS = Kind("a mapping of options", (dict,))
NAMED = Kind(
    "a name, or a name with its options, as in {blocklist: {words: [x]}}",
    either=(TEXT, Kind("one name with its options", (dict,), values=OPTIONS)),
)
STRATEGIES = ("sequential", "weighted", "cost", "latency", "race")

_TARGET = {
    "target": Field(TEXT, "provider/model, a model's id, or another of the models here."),
    "engine": Field(Kind("native or litellm", one_of=("native", "litellm")), "Who calls it: we, or LiteLLM's library."),
    "api_key": Field(SECRET, "The key for this target alone."),
    "base_url": Field(TEXT, "Another endpoint than the provider's."),
    "wire": Field(TEXT, "Another wire protocol that the provider speaks, such as openai_responses."),
    "options": Field(OPTIONS, "Settings for requests that do not set them: {temperature: 0}."),
    "timeout_seconds": Field(NUMBER, "The longest silence."),
    "max_retries": Field(WHOLE, "Tries after the first."),
    "requests_per_minute": Field(COUNT, "The most requests a minute to this target."),
    "tokens_per_minute": Field(COUNT, "The most tokens a minute to this target."),
    "max_concurrency": Field(COUNT, "The most calls at a time."),
    "failure_threshold": Field(COUNT, "Failures in a row after which it is left alone; 5 if left out."),
    "recovery_seconds": Field(NUMBER, "How long it is left alone; 30 if left out."),
}
_TOTAL = {"total_seconds": Field(NUMBER, "The longest call, with all its attempts.")}
_IN_GROUP = {
    "weight": Field(NUMBER, "Its share of the calls, with the strategy weighted."),
    "priority": Field(NUMBER, "The lowest is asked first."),
}
TARGET = Kind(
    "a model's name, or a mapping with a target",
    either=(TEXT, Kind("a mapping with a target", (dict,), fields={**_TARGET, **_TOTAL, **_IN_GROUP})),
)
TARGETS = Kind("a list of targets", (list,), items=TARGET)

FILTERS = {
    "input": Field(Kind("a list of filters", (list,), items=NAMED), "The filters of messages, in their order."),
    "output": Field(Kind("a list of filters", (list,), items=NAMED), "The filters of answers, in their order."),
    "on_block": Field(TEXT, "What is said in the place of a blocked answer; an error if left out."),
    "reversible": Field(TRUTH, "Whether the answer has back what was replaced in the messages."),
}
FILTERED = Kind("a mapping such as {input: [personal_data]}", (dict,), fields=FILTERS)

MODEL = Kind(
    "a model's name, or a mapping such as {target: openai/gpt-4o-mini}",
    either=(
        TEXT,
        Kind(
            "a mapping such as {target: openai/gpt-4o-mini}",
            (dict,),
            fields={
                **_TARGET,
                **_TOTAL,
                "group": Field(TARGETS, "Several targets among which the strategy chooses."),
                "strategy": Field(NAMED, "How it chooses: sequential, weighted, cost, latency or race."),
                "fallbacks": Field(TARGETS, "The targets to ask, in this order, where all of those have failed."),
                "on_error": Field(
                    Kind("a mapping of errors and what follows", (dict,), values=TEXT),
                    "What follows an error: {LLMRateLimitError: stop}; next, larger, elsewhere or stop.",
                ),
                "hedge_seconds": Field(NUMBER, "After which silence a second target is asked beside the first."),
                "cache": Field(TRUTH, "Whether the cache may answer; true if left out."),
                "filters": Field(FILTERED, "The filters of this model, instead of those of all."),
                "listed": Field(TRUTH, "Whether it stands in the list of models; true if left out."),
            },
        ),
    ),
)

KEYS = {
    "store": Field(Kind("one of the stores", one_of=("cognito", "sqlite", "memory", "none")), "Where keys are kept."),
    "path": Field(TEXT, "The file of the store sqlite."),
    "pool": Field(TEXT, "The id of the Cognito user pool."),
    "region": Field(TEXT, "The pool's region; that of the function if left out."),
    "prefix": Field(TEXT, "What every key begins with; sk- if left out."),
    "admin_key": Field(SECRET, "The key of who administers keys."),
    "admins": Field(NAMES, "The ARNs of who may administer keys with IAM."),
    "pepper": Field(SECRET, "A secret that the hashes of keys are made with."),
    "stale_seconds": Field(NUMBER, "How long a revoked key may still work; 60 if left out."),
    "audit": Field(PLACE, "Where changes of keys are recorded: dynamodb:table, file:path, redis://…"),
}
USAGE = {
    "store": Field(PLACE, "memory, sqlite:path, dynamodb:table or redis://…"),
    "when_down": Field(Kind("open or closed", one_of=("open", "closed")), "Whether requests pass while it is down."),
    "keep_days": Field(COUNT, "How long counts are kept."),
    "reservation_seconds": Field(NUMBER, "When what a dead process had reserved is free again."),
}
LIMITS = {
    "body_bytes": Field(COUNT, "The largest body of a request."),
    "depth": Field(COUNT, "The deepest nesting of its JSON."),
    "seconds": Field(NUMBER, "The longest that a request may take."),
    "requests_per_minute": Field(COUNT, "Requests a minute of a key that has no limit of its own."),
    "tokens_per_minute": Field(COUNT, "Tokens a minute of such a key."),
    "daily_budget_usd": Field(NUMBER, "US dollars a day of such a key."),
    "monthly_budget_usd": Field(NUMBER, "US dollars a month of such a key."),
}
CACHE = {
    "store": Field(PLACE, "memory, dynamodb:table or redis://…"),
    "ttl_seconds": Field(Kind("a number, or null", (int, float, type(None)), least=0), "How long an answer is kept."),
    "max_entries": Field(COUNT, "The most answers in memory."),
    "max_bytes": Field(COUNT, "The most bytes in memory."),
}
CORS = {
    "origins": Field(NAMES, "The pages that may ask: https://app.example, or *."),
    "headers": Field(NAMES, "The headers that they may send."),
    "max_age_seconds": Field(WHOLE, "How long a browser remembers it."),
}
FETCH = {
    "hosts": Field(NAMES, "The hosts that images and documents may be fetched from."),
    "buckets": Field(NAMES, "The buckets that s3:// references may name."),
    "max_bytes": Field(COUNT, "The largest of them."),
    "seconds": Field(NUMBER, "The longest wait for one."),
}
SERVER = Kind(
    "a mapping with a url",
    (dict,),
    fields={
        "url": Field(TEXT, "Where it is."),
        "prefix": Field(TEXT, "What its tools' names begin with."),
        "tools": Field(NAMES, "The tools that are let through; all of them if left out."),
        "headers": Field(
            Kind("a mapping of headers", (dict,), values=SECRET, secret=True), "What is sent to it; may name secrets."
        ),
    },
)


def _section(words: str, fields: dict[str, Field]) -> Kind:
    return Kind(words, (dict,), fields=fields)


FIELDS = {
    "models": Field(Kind("a mapping of names and models", (dict,), values=MODEL), "The models, as clients name them."),
    "expose": Field(NAMES, "Names or patterns of further models that clients may name: openai/*."),
    "default_model": Field(TEXT, "The model of requests that name none."),
    "providers": Field(NAMES, "Files or folders of definitions, such as provider_configs.json."),
    "api_keys": Field(
        Kind("a mapping of providers and their keys", (dict,), values=SECRET, secret=True),
        "Keys by provider, best as references: secret:name, secret:ssm:/path.",
    ),
    "secret_ttl_seconds": Field(NUMBER, "How long a secret is used before it is read again; 300 if left out."),
    "keys": Field(_section("a mapping such as {store: sqlite}", KEYS), "The keys of clients."),
    "usage": Field(_section("a mapping such as {store: dynamodb}", USAGE), "Where usage is counted."),
    "limits": Field(_section("a mapping of limits", LIMITS), "What a request, and a key, may ask."),
    "cache": Field(
        Kind(
            "true, or a mapping such as {store: memory}",
            either=(TRUTH, _section("a mapping such as {store: memory}", CACHE)),
        ),
        "Answers kept for those who ask the same.",
    ),
    "filters": Field(FILTERED, "Filters of every model's messages and answers."),
    "cors": Field(_section("a mapping such as {origins: [https://app.example]}", CORS), "Which web pages may ask."),
    "fetch": Field(_section("a mapping such as {hosts: [example.com]}", FETCH), "What is fetched for a request."),
    "mcp": Field(
        _section("a mapping such as {servers: {docs: {url: …}}}", {
            "servers": Field(Kind("a mapping of servers", (dict,), values=SERVER), "Servers of tools, by name."),
        }),
        "Model Context Protocol.",
    ),
    "show_errors": Field(TRUTH, "Whether clients are told the words of providers' errors."),
}  # fmt: skip
"""What can be set, and again for each environment."""

FILE = Kind(
    "a mapping",
    (dict,),
    fields={
        "$schema": Field(TEXT, "The JSON Schema of this file, for editors."),
        **FIELDS,
        "environments": Field(
            Kind(
                "a mapping of environments",
                (dict,),
                values=Kind("a mapping of settings", (dict,), fields=FIELDS),
            ),
            "Settings that differ in one environment, by the name in LAMBDALLM_ENV.",
        ),
    },
)
