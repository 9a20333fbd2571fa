"""The table of settings: what `lambdallm.yaml` may say, each with its kind and a sentence. Data, and nothing else.

The checks, the variables of the environment and the JSON Schema for editors are all made from it.
"""

from __future__ import annotations

from .kinds import Field, Kind

TEXT = Kind("text")
WHOLE = Kind("a whole number of at least 0", (int,), least=0)
COUNT = Kind("a whole number of at least 1", (int,), least=1)
NUMBER = Kind("a number of at least 0", (int, float), least=0)
TRUTH = Kind("true or false", (bool,))
TEXTS = Kind("text, or a list of texts", either=(TEXT, Kind("a list of texts", (list,), items=TEXT)))
OPTIONS = Kind("a mapping of options", (dict,), secret=True)

HANDLER = {
    "model": Field(Kind("text, such as openai/gpt-4o-mini"), "The handlers' model, such as openai/gpt-4o-mini."),
    "fallback_model": Field(Kind("text, such as local"), "The model to use if the first one fails."),
    "timeout_strategy": Field(
        Kind("fail-fast, truncate or checkpoint", one_of=("fail-fast", "truncate", "checkpoint")),
        "What happens when a function's time runs out.",
    ),
    "timeout_buffer": Field(
        Kind("a whole number of seconds", (int,), least=0), "Seconds kept back from Lambda's own limit."
    ),
    "max_retries": Field(WHOLE, "Tries of a call after the first."),
    "max_tokens": Field(COUNT, "The longest answer to a prompt given as text, in tokens."),
    "temperature": Field(NUMBER, "How freely models answer prompts given as text."),
    "response_streaming": Field(
        TEXTS, "The sources that are answered piece by piece: function_url (if left out), rest, direct, or off."
    ),
}

SESSION = Kind(
    "true, or a mapping such as {store: dynamodb}",
    secret=True,
    either=(
        TRUTH,
        Kind(
            "a mapping such as {store: dynamodb}",
            (dict,),
            secret=True,
            fields={
                "store": Field(
                    Kind("text", secret=True), "dynamodb, redis, file or memory, with a place behind a colon."
                ),
                "ttl_hours": Field(
                    Kind("a number of hours, or null", (int, float, type(None)), least=0), "How long a session is kept."
                ),
                "memory": Field(
                    Kind("one of the strategies", one_of=("sliding_window", "summary", "token_buffer", "full")),
                    "What of a long history is shown to the model.",
                ),
                "max_messages": Field(COUNT, "Messages shown to the model."),
                "max_tokens": Field(COUNT, "Tokens shown to the model, with token_buffer."),
                "model": Field(TEXT, "The model whose tokens are counted."),
                "summary_model": Field(TEXT, "The model that sums up."),
                "id_from": Field(TEXTS, "Where the session's id is found, such as header:x-session-id."),
                "owner": Field(TEXT, "Whose the session is: an id of somebody else's opens nothing."),
                "known_ids_only": Field(TRUTH, "Whether an id nobody was given is refused."),
            },
        ),
    ),
)

LAYERS = {
    "auth": "AuthMiddleware",
    "cors": "CorsMiddleware",
    "cost": "CostTrackingMiddleware",
    "idempotency": "IdempotencyMiddleware",
    "logging": "LoggingMiddleware",
    "rate_limit": "RateLimitMiddleware",
    "validation": "ValidationMiddleware",
}
"""The layers of middleware that have names of their own."""

LAYER = Kind(
    "a name, or a name with its options, as in {cost: {budget: 1}}",
    either=(TEXT, Kind("one name with its options", (dict,), values=OPTIONS)),
)

FIELDS = {
    **HANDLER,
    "session": Field(SESSION, "The handlers' conversations: true for the defaults, or what differs from them."),
    "middleware": Field(
        Kind("a list of names, or of names with options", (list,), items=LAYER),
        "What runs around the handlers' functions, the outermost first: logging, cost, …, or package.module:Class.",
    ),
    "api_keys": Field(
        Kind("a mapping of providers and their keys", (dict,), values=Kind("text", secret=True), secret=True),
        "Keys by provider, best as references: secret:name, secret:name#key, secret:ssm:/path.",
    ),
    "secret_ttl_seconds": Field(NUMBER, "How long a secret is used before it is read again; 300 if left out."),
}
"""What can be set for the project, and again for each environment."""

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
                values=Kind("a mapping of settings", (dict,), fields=FIELDS, secret=True),
                secret=True,
            ),
            "Settings that differ in one environment, by the name in LAMBDALLM_ENV.",
        ),
    },
)
