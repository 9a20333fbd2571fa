"""`lambdallm config`: mistakes with their places, and the schema that editors take."""

import json

WRONG = """
modle: echo
middleware:
  - loging
api_keys: sk-secret
"""


def test_every_mistake_is_told_with_its_place(cli, project):
    folder = project({"lambdallm.yaml": WRONG})
    told = cli("config", "check", cwd=folder)
    assert told.returncode == 1
    *_, first, second = lines = told.stdout.splitlines()
    assert len(lines) == 2
    assert first.startswith(f"{folder / 'lambdallm.yaml'}:1:1: unknown field 'modle'. Did you mean 'model'")
    assert second.startswith(f"{folder / 'lambdallm.yaml'}:4:1: api_keys is not of the right kind.")
    assert "sk-secret" not in told.stdout + told.stderr


def test_a_layer_that_nobody_knows_is_one(cli, project):
    told = cli("config", "check", "settings.yaml", cwd=project({"settings.yaml": "middleware: [loging]\n"}))
    assert (told.returncode, told.stdout[:41]) == (1, "settings.yaml:1:14: no middleware is call")


def test_a_file_without_any(cli, project):
    told = cli("config", "check", cwd=(folder := project({"lambdallm.json": '{"model": "echo"}'})))
    assert (told.returncode, told.stdout) == (0, f"{folder / 'lambdallm.json'}: no mistakes.\n")


def test_an_environment_by_its_name(cli, project):
    text = "environments:\n  prod:\n    model: ${PROD_MODEL}\n"
    folder = project({"lambdallm.yaml": text})
    assert cli("config", "check", cwd=folder).returncode == 0
    told = cli("config", "check", "--env", "prod", cwd=folder)
    assert told.returncode == 1
    assert ":3:5: model needs the variable PROD_MODEL, which is not set." in told.stdout


def test_no_file_is_no_mistake(cli, project):
    told = cli("config", "check", cwd=project({}))
    assert (told.returncode, told.stdout[:15]) == (0, "There is no fil")


def test_what_cannot_be_read_at_all(cli, project):
    told = cli("config", "check", "none.yaml", cwd=project({}))
    assert (told.returncode, told.stdout) == (2, "")
    assert "none.yaml can't be read: No such file" in told.stderr


def test_a_variable_that_does_not_fit(cli, project):
    told = cli("config", "check", cwd=project({}), env={"LAMBDALLM_MAX_RETRIES": "many"})
    assert told.returncode == 2
    assert "LAMBDALLM_MAX_RETRIES is 'many'." in told.stderr


def test_the_schema(cli):
    from lambdallm.core.config import config_schema

    assert json.loads(cli("config", "schema").stdout) == config_schema()


GATEWAY = """
modles: {}
models:
  fast: opnai/gpt-4o-mini
"""


def test_a_gateways_settings_are_known_by_the_files_name(cli, project):
    folder = project({"gateway.yaml": GATEWAY.replace("modles: {}", "limits: {depth: 0}")})
    told = cli("config", "check", "gateway.yaml", cwd=folder)
    assert (told.returncode, told.stdout.splitlines()) == (
        1,
        ["gateway.yaml:1:10: limits.depth is 0. It should be a whole number of at least 1."],
    )


def test_or_by_the_option(cli, project):
    folder = project({"gateway.yaml": GATEWAY})
    told = cli("config", "check", "--gateway", cwd=folder)
    assert told.returncode == 1
    assert told.stdout.startswith(f"{folder / 'gateway.yaml'}:1:1: unknown field 'modles'. Did you mean 'models'")


def test_a_gateways_models_are_looked_up(cli, project):
    told = cli("config", "check", "gateway.json", cwd=project({"gateway.json": '{"models": {"fast": "opnai/x"}}'}))
    assert (told.returncode, told.stdout[:47]) == (1, "gateway.json:1:13: No model is called 'opnai/x'")
    told = cli("config", "check", "gateway.json", cwd=project({"gateway.json": '{"models": {"fast": "echo"}}'}))
    assert (told.returncode, told.stdout) == (0, "gateway.json: no mistakes.\n")


def test_no_gateways_settings_where_they_are_asked_for(cli, project):
    told = cli("config", "check", "--gateway", cwd=project({}))
    assert told.returncode == 2
    assert "There is no gateway.yaml in this folder." in told.stderr


def test_the_single_functions_providers(cli, project):
    wrong = '{"openai": {"endpoint": "https://x.test", "request_transformr": "openai_request"}}'
    told = cli("config", "check", "provider_configs.json", cwd=project({"provider_configs.json": wrong}))
    assert told.returncode == 1
    assert "provider_configs.json:1:43: unknown field 'request_transformr'." in told.stdout


def test_the_schema_of_a_gateway(cli):
    told = cli("config", "schema", "--gateway")
    assert (told.returncode, json.loads(told.stdout)["title"]) == (0, "gateway.yaml")
