"""The gateway's settings: what a file says, what is wrong with it and where, and what nobody says."""

import json

import pytest

from lambdallm.core.config.document import read_document
from lambdallm.gateway.config import (
    CacheSettings,
    ConfigFileError,
    FilterSettings,
    GatewayConfig,
    KeySettings,
    LimitSettings,
    McpServer,
    ModelSettings,
    Named,
    TargetSettings,
    UsageSettings,
    fields,
    gateway_schema,
    load_gateway,
    values,
)
from lambdallm.llm.errors import ConfigurationError

WHOLE = """
models:
  fast: openai/gpt-4o-mini
  smart:
    target: anthropic/claude-haiku-4-5
    options: {temperature: 0}
    timeout_seconds: 20
    fallbacks: [fast, {target: local, max_retries: 0}]
    on_error: {LLMContentFilterError: stop}
    filters: {output: [secrets]}
  shared:
    group:
      - {target: openai/gpt-4o, weight: 3, api_key: "secret:ssm:/app/openai"}
      - {target: fast, weight: 1}
    strategy: {weighted: {sticky: user}}
    total_seconds: 60
    cache: false
    listed: false
  rare: {target: together_ai/some-model, engine: litellm}
expose: ["openai/*"]
default_model: fast
api_keys: {openai: "${OPENAI}", anthropic: "secret:llm#anthropic"}
keys: {store: sqlite, path: keys.db, prefix: team-, admin_key: "secret:admin", admins: ["arn:aws:iam::1:role/ops"]}
usage: {store: "dynamodb:usage", when_down: open}
limits: {body_bytes: 1000, depth: 5, seconds: 30, requests_per_minute: 60, daily_budget_usd: 1.5}
cache: {ttl_seconds: null, max_entries: 10}
filters: {input: [{blocklist: {words: [x]}}], on_block: "No."}
cors: {origins: ["https://app.example"]}
fetch: {hosts: [images.example], buckets: [docs]}
mcp: {servers: {docs: {url: "https://mcp.example/", prefix: docs_, tools: [find], headers: {x-key: "secret:m"}}}}
show_errors: true
"""


@pytest.fixture
def written(tmp_path):
    """Writes a file of settings and gives its path."""

    def written(text, name="gateway.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return written


def refused(path, **environ):
    """What is wrong with a file: each mistake with its line and column."""
    with pytest.raises(ConfigFileError) as failure:
        load_gateway(path, environ)
    return [(f"{line}:{column}", f"{said} {fix}".strip()) for line, column, said, fix in failure.value.problems]


def test_a_file_says_all_there_is_to_say(written):
    config = load_gateway(written(WHOLE), {"OPENAI": "sk-from-variable"})
    assert config.models["fast"] == ModelSettings((TargetSettings("openai/gpt-4o-mini"),))
    assert config.models["smart"] == ModelSettings(
        (TargetSettings("anthropic/claude-haiku-4-5", options={"temperature": 0}, timeout_seconds=20),),
        fallbacks=(TargetSettings("fast"), TargetSettings("local", max_retries=0)),
        on_error={"LLMContentFilterError": "stop"},
        filters=FilterSettings(output=(Named("secrets"),)),
    )
    assert config.models["shared"] == ModelSettings(
        (
            TargetSettings("openai/gpt-4o", weight=3, api_key="secret:ssm:/app/openai"),
            TargetSettings("fast", weight=1),
        ),
        strategy=Named("weighted", {"sticky": "user"}),
        total_seconds=60,
        cache=False,
        listed=False,
    )
    assert config.models["rare"].targets[0].name == "litellm/together_ai/some-model"
    assert (config.expose, config.default_model, config.show_errors) == (("openai/*",), "fast", True)
    assert config.api_keys == {"openai": "sk-from-variable", "anthropic": "secret:llm#anthropic"}
    admins = ("arn:aws:iam::1:role/ops",)
    assert config.keys == KeySettings("sqlite", "keys.db", prefix="team-", admin_key="secret:admin", admins=admins)
    assert config.usage == UsageSettings("dynamodb:usage", when_down="open")
    assert config.limits == LimitSettings(1000, 5, 30, requests_per_minute=60, daily_budget_usd=1.5)
    assert config.cache == CacheSettings(ttl_seconds=None, max_entries=10)
    assert config.filters == FilterSettings((Named("blocklist", {"words": ["x"]}),), on_block="No.")
    assert (config.cors.origins, config.fetch.hosts) == (("https://app.example",), ("images.example",))
    headers = {"x-key": "secret:m"}
    assert config.mcp == {"docs": McpServer("https://mcp.example/", "docs_", ("find",), headers)}


def test_json_says_the_same(written):
    plain = read_document(written(WHOLE)).data
    environ = {"OPENAI": "sk-from-variable"}
    assert load_gateway(written(json.dumps(plain), "gateway.json"), environ) == load_gateway(written(WHOLE), environ)


def test_no_file_is_the_defaults(tmp_path):
    assert load_gateway(environ={"LAMBDA_TASK_ROOT": str(tmp_path)}) == GatewayConfig()


@pytest.mark.parametrize("name", ["gateway.yaml", "gateway.yml", "gateway.json"])
def test_a_file_is_found_in_the_functions_folder(written, tmp_path, name):
    written('{"default_model": "echo"}', name)
    assert load_gateway(environ={"LAMBDA_TASK_ROOT": str(tmp_path)}).default_model == "echo"


def test_another_file_is_named_by_a_variable(written):
    path = written('{"default_model": "echo"}', "other.json")
    assert load_gateway(environ={"LAMBDALLM_GATEWAY": path}).default_model == "echo"


@pytest.mark.parametrize(("said", "cache"), [("true", CacheSettings()), ("false", None), ("{}", CacheSettings())])
def test_the_cache_is_on_off_or_described(written, said, cache):
    assert load_gateway(written(f"cache: {said}"), {}).cache == cache


def test_what_one_environment_says_is_laid_over_the_rest(written):
    text = "models: {a: echo, b: echo}\nenvironments:\n  prod:\n    models: {a: openai/gpt-4o}\n    cache: true\n"
    config = load_gateway(written(text), {"LAMBDALLM_ENV": "prod"})
    assert [model.targets[0].target for model in config.models.values()] == ["openai/gpt-4o", "echo"]
    assert config.cache == CacheSettings()


def test_files_of_definitions_are_found_beside_the_file(written, tmp_path):
    (tmp_path / "mine.json").write_text('{"acme": {"endpoint": "https://acme.test", "wire": "openai_chat"}}')
    config = load_gateway(written("providers: [mine.json]\nmodels: {a: acme/large}\napi_keys: {acme: x}\n"), {})
    assert config.providers == (str(tmp_path / "mine.json"),)


def test_no_repr_shows_a_secret(written):
    text = """
        models: {a: {target: echo, api_key: sk-target}}
        api_keys: {openai: sk-provider, groq: "secret:groq"}
        keys: {store: sqlite, admin_key: sk-admin, pepper: grain}
        usage: {store: "redis://me:hidden@cache/0"}
        mcp: {servers: {x: {url: "https://x.test", headers: {authorization: Bearer-y}}}}
    """
    shown = repr(load_gateway(written(text), {}))
    for secret in ("sk-target", "sk-provider", "sk-admin", "grain", "hidden", "Bearer-y"):
        assert secret not in shown
    assert "'groq': 'secret:groq'" in shown


class TestMistakes:
    """Each is told with its line and column and what to write instead; the gateway does not start."""

    @pytest.mark.parametrize(
        ("text", "place", "said"),
        [
            ("modles: {}", "1:1", "unknown field 'modles'. Did you mean 'models'"),
            ("models:\n  a: {targt: echo}", "2:7", "unknown field 'targt'. Did you mean 'target'?"),
            ("models:\n  a: opnai/gpt-4o", "2:3", "No model is called 'opnai/gpt-4o'. Did you mean 'openai/gpt-4o'"),
            ("models:\n  a: {group: [echo, gtp-4o]}", "2:21", "No model is called 'gtp-4o'. Did you mean 'gpt-4o'"),
            ("models:\n  a: {cache: true}", "2:3", "the model 'a' has neither a target nor a group. Give it one"),
            ("models:\n  a: {target: echo, group: [echo]}", "2:3", "the model 'a' has both a target and a group."),
            ("models:\n  a: {group: [echo], api_key: k}", "2:22", "'api_key' is for one target, and 'a' has a group."),
            ("models:\n  a: {group: [{weight: 2}]}", "2:15", "this target names no model. Write target:"),
            ("models:\n  a: b\n  b: {target: echo, fallbacks: [a]}", "2:3", "a → b → a is a circle."),
            ("models:\n  a: {group: [echo], strategy: chepest}", "2:22", "no strategy is called 'chepest'."),
            ("models:\n  a: {group: [echo], strategy: {cost: {x: 1}}}", "2:22", "There is no option 'x'."),
            ("models:\n  a: {group: [echo], strategy: {cost: {}, race: {}}}", "2:22", "a model has one strategy."),
            ("models:\n  a: {target: echo, strategy: cost}", "2:21", "a strategy chooses among several targets"),
            ("models:\n  a: {target: echo, on_error: {LLMRateError: stop}}", "2:21", "'LLMRateError' is no class of"),
            ("models:\n  a: {target: echo, wire: opnai_chat}", "2:7", "No wire protocol is called 'opnai_chat'."),
            (
                "models:\n  a: {target: echo, engine: lightllm}",
                "2:21",
                "models.a.engine is 'lightllm'. It should be",
            ),
            ("filters: {output: [secrts]}", "1:20", "No filter is called 'secrts'. Did you mean 'secrets'?"),
            ("filters:\n  input:\n  - blocklist: {word: [x]}", "3:5", "its options don't fit:"),
            ("filters:\n  input:\n  - my.layers:Filter", "3:5", "The filter 'my.layers:Filter' can't be imported:"),
            ("api_keys: {opnai: x}", "1:12", "unknown provider 'opnai'. Did you mean 'openai'"),
            (
                "default_model: fats\nmodels: {fast: echo}",
                "1:1",
                "no model here is called 'fats'. Did you mean 'fast'?",
            ),
            ("providers: [none.json]", "1:13", "there is no 'none.json' beside this file."),
            ("usage: {store: postgres}", "1:9", "usage.store names no store. Write one of memory, sqlite,"),
            ("cache: {store: sqlite}", "1:9", "cache.store names no store. Write one of memory, dynamodb,"),
            ("keys: {store: cognito}", "1:8", "keys in Cognito need a user pool. Write pool:"),
            ("limits: {depth: 0}", "1:10", "limits.depth is 0. It should be a whole number of at least 1."),
            ("mcp: {servers: {docs: {prefix: d}}}", "1:17", "the server 'docs' has no address."),
            ("default_model: ${NOWHERE}", "1:1", "default_model needs the variable NOWHERE, which is not set."),
        ],
    )
    def test_one(self, written, text, place, said):
        ((where, told),) = refused(written(text))
        assert where == place
        assert said in told

    def test_all_are_told_at_once(self, written):
        text = "models:\n  a: nowhere\n  b: {group: [echo], strategy: x}\nfilters: {input: [y]}\n"
        assert [place for place, _ in refused(written(text))] == ["2:3", "3:22", "4:19"]

    def test_of_an_environment_where_it_is_written(self, written):
        path = written("models: {a: echo}\nenvironments:\n  prod:\n    models:\n      a: nowhere\n")
        ((where, _),) = refused(path, LAMBDALLM_ENV="prod")
        assert where == "5:7"
        assert load_gateway(path, {"LAMBDALLM_ENV": "dev"})

    def test_what_may_be_secret_is_not_quoted(self, written):
        for text in ("keys: {admin_key: [sk-admin]}", "api_keys: sk-key", "usage: {store: 'redsi://me:sk-x@host'}"):
            ((_, told),) = refused(written(text))
            assert "sk-" not in told

    def test_in_a_file_of_definitions(self, written, tmp_path):
        (tmp_path / "mine.json").write_text('{"acme": {"endpont": "https://acme.test"}}')
        ((where, told),) = refused(written("providers:\n- mine.json\n"))
        assert where == "1:1"
        assert told.startswith("'acme' has an unknown field 'endpont'. Did you mean 'endpoint'")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(ConfigurationError, match="can't be read: No such file"):
            load_gateway(tmp_path / "gateway.yaml", {})


class TestTheTableAndTheValues:
    """A field that a file may say is one that code may say, under the same name."""

    @pytest.mark.parametrize(
        ("table", "value"),
        [
            (fields.KEYS, values.KeySettings),
            (fields.USAGE, values.UsageSettings),
            (fields.LIMITS, values.LimitSettings),
            (fields.CACHE, values.CacheSettings),
            (fields.CORS, values.CorsSettings),
            (fields.FETCH, values.FetchSettings),
            (fields.FILTERS, values.FilterSettings),
            (fields.FIELDS, values.GatewayConfig),
            (fields.SERVER.fields, values.McpServer),
            (fields.TARGET.either[1].fields, values.TargetSettings),
        ],
    )
    def test_agree(self, table, value):
        assert sorted(table) == sorted(value._fields)

    def test_the_schema_takes_what_the_checks_take(self):
        import jsonschema

        validate = jsonschema.Draft202012Validator(gateway_schema())
        import yaml

        assert not list(validate.iter_errors(yaml.safe_load(WHOLE)))
        assert list(validate.iter_errors({"modles": {}}))
