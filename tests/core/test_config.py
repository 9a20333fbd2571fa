"""The project's settings: read from a file, an environment over it, variables over both; and what is wrong, at once."""

import json

import pytest

from lambdallm.core.config import Config, ConfigFileError, load_config, project_config
from lambdallm.core.config.document import read_document
from lambdallm.core.config.fields import FIELDS
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.types import EMPTY


@pytest.fixture
def written(tmp_path):
    """Writes a file of settings, YAML unless its name says otherwise, and gives its path."""

    def written(text, name="lambdallm.yaml"):
        file = tmp_path / name
        file.write_text(text)
        return str(file)

    return written


def loaded(path, **environ):
    return load_config(path, environ)


def test_no_file_is_no_settings(tmp_path):
    assert load_config(environ={"LAMBDA_TASK_ROOT": str(tmp_path)}) == Config()


@pytest.mark.parametrize("name", ["lambdallm.yaml", "lambdallm.yml", "lambdallm.json"])
def test_a_file_is_found_in_the_functions_folder(written, tmp_path, name):
    written('{"model": "echo"}', name)
    assert load_config(environ={"LAMBDA_TASK_ROOT": str(tmp_path)}).model == "echo"


def test_yaml_and_json_say_the_same(written):
    text = """
        model: openai/gpt-4o-mini
        max_retries: 2
        temperature: 0
        session: {store: dynamodb, ttl_hours: null, id_from: [header:x-id, cookie:id]}
        middleware:
          - logging
          - cost: {budget: 0.5}
    """
    config = loaded(written(text))
    assert config == Config(
        model="openai/gpt-4o-mini",
        max_retries=2,
        temperature=0,
        session={"store": "dynamodb", "ttl_hours": None, "id_from": ["header:x-id", "cookie:id"]},
        middleware=(("logging", {}), ("cost", {"budget": 0.5})),
    )
    import yaml

    assert loaded(written(json.dumps(yaml.safe_load(text)), "lambdallm.json")) == config


def test_variables_win_over_the_file(written):
    path = written("model: from-file\nmax_retries: 1\n")
    config = loaded(path, LAMBDALLM_MODEL="from-variable", LAMBDALLM_TEMPERATURE="0.2", LAMBDALLM_SESSION="true")
    assert (config.model, config.max_retries, config.temperature, config.session) == ("from-variable", 1, 0.2, {})


def test_every_setting_of_the_table_is_a_field_of_config():
    assert tuple(FIELDS) == Config._fields


@pytest.mark.parametrize(
    ("text", "session"),
    [("true", {}), ("false", None), ("{}", {}), ("{store: file}", {"store": "file"})],
)
def test_a_session_is_on_off_or_described(written, text, session):
    assert loaded(written(f"session: {text}")).session == session


class TestEnvironments:
    TEXT = """
        model: small
        session: {store: memory, max_messages: 10}
        environments:
          prod:
            model: large
            session: {store: dynamodb}
          dev: {max_retries: 0}
    """

    def test_the_one_that_is_named_is_laid_over_the_rest(self, written):
        config = loaded(written(self.TEXT), LAMBDALLM_ENV="prod")
        assert (config.model, config.session) == ("large", {"store": "dynamodb", "max_messages": 10})

    @pytest.mark.parametrize("stage", ["", "staging"])
    def test_without_one_of_that_name_the_rest_stands(self, written, stage):
        assert loaded(written(self.TEXT), LAMBDALLM_ENV=stage).model == "small"

    def test_a_variable_wins_over_it(self, written):
        assert loaded(written(self.TEXT), LAMBDALLM_ENV="prod", LAMBDALLM_MODEL="other").model == "other"

    def test_what_another_one_needs_is_not_asked_for(self, written):
        text = "environments: {prod: {model: '${NOWHERE}'}}"
        assert loaded(written(text)).model is None

    def test_mistakes_in_it_are_told_where_they_are_even_if_it_does_not_apply(self, written):
        with pytest.raises(ConfigFileError, match=r"line 2, column 10: unknown field 'modl'\. Did you mean 'model'"):
            loaded(written("environments:\n  prod: {modl: x}\n"))

    def test_a_reference_in_it_is_told_where_it_is(self, written):
        path = written("model: x\nenvironments:\n  prod:\n    model: ${NOWHERE}\n")
        with pytest.raises(ConfigFileError, match=r"line 4, column 5: model needs the variable NOWHERE"):
            loaded(path, LAMBDALLM_ENV="prod")


class TestVariables:
    def test_references_are_filled_in_and_read_as_what_they_should_be(self, written):
        path = written(
            "model: '${WHOSE}/${WHICH:-gpt}'\nmax_retries: ${TRIES}\nsession: {ttl_hours: '${HOURS:-1.5}'}\n"
        )
        config = loaded(path, WHOSE="openai", TRIES="7")
        assert (config.model, config.max_retries, config.session) == ("openai/gpt", 7, {"ttl_hours": 1.5})

    def test_an_empty_variable_is_none(self, written):
        assert loaded(written("model: ${X:-default}"), X="").model == "default"

    def test_they_may_stand_in_options_and_lists(self, written):
        path = written("middleware: ['${LAYER}', {cost: {budget: '${B}', of: ['${B}']}}]")
        layers = loaded(path, LAYER="logging", B="1").middleware
        assert layers == (("logging", {}), ("cost", {"budget": "1", "of": ["1"]}))

    def test_a_doubled_dollar_is_a_dollar(self, written):
        assert loaded(written("model: 'a$${b}c$d'")).model == "a${b}c$d"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("model: ${NOWHERE}", r"line 1, column 1: model needs the variable NOWHERE,.* or write \$\{NOWHERE:-…\}"),
            ("model: '${OPEN'", "left open.*Write"),
            ("model: '${1X}'", "left open"),
            ("model: '${A:-${B}}'", "left open"),
            ("max_retries: ${SECRET}", r"max_retries is '\$\{SECRET\}', and what that stands for does not fit"),
            ("timeout_strategy: ${SECRET}", "fail-fast, truncate or checkpoint"),
        ],
    )
    def test_a_mistake_names_the_variable_and_not_what_it_holds(self, written, text, message):
        with pytest.raises(ConfigFileError, match=message) as failed:
            loaded(written(text), SECRET="hidden-word")
        assert "hidden-word" not in f"{failed.value} {failed.value.problems}"


BAD = """\
modle: x
max_retries: -1
timeout_strategy: soon
session:
  stroe: dynamodb
  max_messages: 0
middleware:
  - logging
  - 7
api_keys:
  opnai: secret:x
"""


class TestMistakes:
    def test_all_are_told_at_once_with_their_places(self, written):
        path = written(BAD.replace("opnai: secret:x", "openai: 7"))
        with pytest.raises(ConfigFileError, match=r"lambdallm\.yaml has 7 mistakes:\n") as failed:
            loaded(path)
        assert [(line, column) for line, column, _, _ in failed.value.problems] == [
            (1, 1), (2, 1), (3, 1), (5, 3), (6, 3), (9, 5), (11, 3),
        ]  # fmt: skip
        shown = str(failed.value)
        assert "line 1, column 1: unknown field 'modle'. Did you mean 'model'" in shown
        assert "line 3, column 1: timeout_strategy is 'soon'. It should be fail-fast, truncate or checkpoint." in shown
        assert "line 5, column 3: unknown field 'stroe'. Did you mean 'store'?" in shown
        assert "line 9, column 5: middleware[1] is 7." in shown
        assert "api_keys.openai is not of the right kind" in shown

    def test_the_same_in_json(self, written):
        text = '{\n  "modle": "x",\n  "session": {"store": "memory",\n     "max_messages": 0}\n}'
        with pytest.raises(ConfigFileError) as failed:
            loaded(written(text, "lambdallm.json"))
        assert [problem[:2] for problem in failed.value.problems] == [(2, 3), (4, 6)]

    def test_an_unknown_provider_is_named_with_the_nearest(self, written):
        with pytest.raises(ConfigFileError, match=r"line 2, column 3: unknown provider 'opnai'.*'openai'"):
            loaded(written("api_keys:\n  opnai: secret:x\n"))

    @pytest.mark.parametrize(
        ("text", "name", "message"),
        [
            ("model: [", "a.yaml", "line 1.*invalid YAML"),
            ("model: x\nmodel: y\n", "a.yaml", "line 2, column 1: invalid YAML: the key 'model' stands there twice"),
            ("model: !!python/object:os.system x", "a.yaml", "line 1, column 8"),
            ('{"model": }', "a.json", r"line 1, column 11"),
            ('{"model": 1, "model": 2}', "a.json", "the key 'model' stands there twice"),
            ("", "a.yaml", "holds nothing"),
            ("- model", "a.yaml", "holds a list"),
            ("1: x", "a.yaml", "the name 1 is no text. Put it in quotes"),
            ("model: 2024-01-01", "a.yaml", "It should be text"),
            ("max_retries: true", "a.yaml", "max_retries is True"),
            ("model: *nobody", "a.yaml", "undefined alias"),
        ],
    )
    def test_what_is_no_settings_at_all(self, written, text, name, message):
        with pytest.raises(ConfigurationError, match=message):
            loaded(written(text, name))

    def test_files_that_cannot_be_read(self, tmp_path):
        with pytest.raises(ConfigurationError, match="No such file"):
            loaded(tmp_path / "none.yaml")
        (tmp_path / "bytes.yaml").write_bytes(b"model: \xff")
        with pytest.raises(ConfigurationError, match="no UTF-8"):
            loaded(tmp_path / "bytes.yaml")

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("LAMBDALLM_MAX_RETRIES", "-1", "a whole number of at least 0"),
            ("LAMBDALLM_TIMEOUT_STRATEGY", "soon", "fail-fast"),
            ("LAMBDALLM_TEMPERATURE", "nan", "a number"),
        ],
    )
    def test_a_variable_that_does_not_fit(self, tmp_path, name, text, message):
        with pytest.raises(ConfigurationError, match=f"{name} is '{text}'.*{message}"):
            load_config(environ={"LAMBDA_TASK_ROOT": str(tmp_path), name: text})


KEY = "sk-hunter2"
ADDRESS = f"redis://user:{KEY}@cache/0"


@pytest.mark.parametrize(
    "text",
    [
        f"api_keys: {KEY}",
        f"api_keys: [{{openai: {KEY}}}]",
        f"api_keys: {{openai: {{key: {KEY}}}}}",
        f"api_keys: {{openai: '{KEY}${{'}}",
        f"middleware: {{auth: {{jwt: {{secret: {KEY}}}}}}}",
        f"middleware: [[{{auth: {{jwt: {{secret: {KEY}}}}}}}]]",
        f"middleware: [{{auth: {{jwt: {{secret: '{KEY}${{'}}}}}}]",
        f"middleware: [{{auth: {KEY}}}]",
        f"session: {ADDRESS}",
        f"session: {{store: ['{ADDRESS}']}}",
        f"environments: [{{api_keys: {{openai: {KEY}}}}}]",
        f"environments: {{prod: {KEY}}}",
        KEY,
    ],
)
def test_a_key_in_the_wrong_place_is_in_no_error(written, text):
    with pytest.raises(ConfigurationError) as failed:
        loaded(written(text))
    assert KEY not in f"{failed.value} {getattr(failed.value, 'problems', '')}"


def test_nor_is_one_in_a_variable(tmp_path):
    with pytest.raises(ConfigurationError, match=r"LAMBDALLM_SESSION .* should be true") as failed:
        load_config(environ={"LAMBDA_TASK_ROOT": str(tmp_path), "LAMBDALLM_SESSION": ADDRESS})
    assert KEY not in str(failed.value)


def test_a_layer_that_nobody_knows_is_told_with_its_place(written):
    with pytest.raises(ConfigFileError, match=r"'loging'\. Did you mean 'logging'") as failed:
        loaded(written("middleware:\n  - app.layers:Own\n  - loging\n  - csot: {}\n"))
    assert [problem[:2] for problem in failed.value.problems] == [(3, 5), (4, 5)]


def test_yaml_may_begin_like_json(written):
    assert loaded(written("{model: echo, session: {store: memory}}")).model == "echo"
    with pytest.raises(ConfigFileError) as failed:
        loaded(written("{model: echo,\n modle: x}"))
    assert failed.value.problems[0][:2] == (2, 2)
    with pytest.raises(ConfigurationError, match="is not JSON"):
        loaded(written("{model: echo}", "lambdallm.json"))


def test_places_follow_anchors_and_merged_keys(written):
    path = written("base: &base\n  model: x\nother:\n  <<: *base\n  max: 1\n")
    document = read_document(path)
    assert document.data["other"] == {"model": "x", "max": 1}
    assert document.place(("other", "max")) == (5, 3)
    assert document.place(("base", "model")) == (2, 3)


class TestWhatIsShown:
    TEXT = "api_keys: {openai: plain-key, groq: 'secret:ssm:/a'}\nmiddleware: [{auth: {secret: also-plain}}]\n"

    def test_keys_and_options_are_in_no_repr(self, written):
        shown = repr(loaded(written(self.TEXT)))
        assert shown == "Config(middleware=('auth',), api_keys={'openai': '***', 'groq': 'secret:ssm:/a'})"

    def test_nor_is_the_password_of_a_store(self, written):
        shown = repr(loaded(written("session: {store: 'redis://user:pass-word@host:6379/0'}")))
        assert shown == "Config(session={'store': 'redis://host:6379/0'})"

    def test_short_otherwise(self):
        assert repr(Config(model="x")) == "Config(model='x')"


class TestProject:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        yield
        monkeypatch.setattr("lambdallm.core.config.project._loaded", [])
        from lambdallm.llm.auth.keys import use_keys

        use_keys(EMPTY)

    def test_it_is_read_once_while_what_it_depends_on_stays_the_same(self, written, monkeypatch):
        written("model: '${WHICH:-first}'")
        config = project_config()
        written("model: second")
        assert project_config() is config
        monkeypatch.setenv("UNRELATED", "1")
        assert project_config() is config
        monkeypatch.setenv("WHICH", "x")
        assert project_config().model == "second"

    def test_a_variable_that_the_file_refers_to_counts(self, written, monkeypatch):
        written("model: ${WHICH:-first}")
        assert project_config().model == "first"
        monkeypatch.setenv("WHICH", "changed")
        assert project_config().model == "changed"

    def test_its_keys_are_those_calls_take_until_another_configuration_applies(self, written, monkeypatch, tmp_path):
        from lambdallm.llm.auth import keys

        written("api_keys: {openai: k}\nsecret_ttl_seconds: 60")
        project_config()
        assert keys._project == [{"openai": "k"}]
        other = tmp_path / "other"
        other.mkdir()
        monkeypatch.chdir(other)
        project_config()
        assert keys._project == [{}]

    def test_its_ttl_is_that_of_secrets(self, written, monkeypatch):
        from lambdallm.llm.auth.secrets import CACHE

        monkeypatch.setattr(CACHE, "ttl_seconds", 300.0)
        written("secret_ttl_seconds: 60")
        project_config()
        assert CACHE.ttl_seconds == 60
