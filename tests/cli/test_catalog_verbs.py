"""`lambdallm providers` and `lambdallm models`."""

import json


def test_providers_says_where_keys_come_from_and_whether_they_are_there(cli):
    told = cli("providers", env={"OPENAI_API_KEY": "sk-secret"})
    head, *lines = told.stdout.splitlines()
    assert head.split() == ["NAME", "WIRE", "KEY", "SET", "DEFAULT", "MODEL", "TITLE"]
    by_name = {line.split()[0]: line for line in lines}
    assert " OPENAI_API_KEY " in by_name["openai"]
    assert " yes " in by_name["openai"]
    assert " no " in by_name["anthropic"]
    assert " none needed " in by_name["echo"]
    assert "sk-secret" not in told.stdout


def test_providers_as_json(cli):
    rows = {row["name"]: row for row in json.loads(cli("providers", "--json").stdout)}
    assert rows["openai"] == {
        "name": "openai",
        "title": "OpenAI",
        "wire": "openai_chat",
        "key": "OPENAI_API_KEY",
        "set": False,
        "needs": [],
        "default_model": "gpt-6-luna",
        "default_embedding_model": "text-embedding-3-small",
    }
    assert rows["echo"]["set"] is None
    assert rows["bedrock"]["key"] == "AWS_BEARER_TOKEN_BEDROCK or AWS credentials"
    assert rows["azure"]["key"] == "AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN or Azure credentials"
    assert rows["azure"]["needs"] == ["AZURE_OPENAI_ENDPOINT"]
    assert (rows["voyage"]["wire"], rows["voyage"]["default_model"]) == ("voyage_embeddings", "voyage-3")


def test_so_do_keys_in_the_projects_settings(cli, project):
    folder = project({"lambdallm.json": '{"api_keys": {"anthropic": "secret:app/llm#anthropic"}}'})
    told = cli("providers", "--json", cwd=folder)
    by_name = {row["name"]: row["set"] for row in json.loads(told.stdout)}
    assert (by_name["anthropic"], by_name["openai"]) == (True, False)
    assert "secret:" not in told.stdout


def test_settings_with_a_mistake_hide_no_provider(cli, project):
    told = cli("providers", "--json", cwd=project({"lambdallm.json": '{"modle": 1}'}))
    assert (told.returncode, len(json.loads(told.stdout)) > 9) == (0, True)
    assert "warning: " in told.stderr
    assert "unknown field 'modle'" in told.stderr


def test_aws_credentials_count_as_set(cli):
    rows = json.loads(cli("providers", "--json", env={"AWS_ACCESS_KEY_ID": "AKIA"}).stdout)
    assert next(row for row in rows if row["name"] == "bedrock")["set"] is True


def test_other_clouds_credentials_count_as_set(cli):
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": "/a/key.json", "AZURE_CLIENT_SECRET": "s"}
    rows = {row["name"]: row["set"] for row in json.loads(cli("providers", "--json", env=environ).stdout)}
    assert (rows["vertex"], rows["azure"], rows["gemini"]) == (True, True, False)


def test_a_key_whose_endpoint_is_still_unknown_says_so(cli):
    told = cli("providers", env={"CLOUDFLARE_API_TOKEN": "t"}).stdout
    assert "yes; CLOUDFLARE_ACCOUNT_ID is not" in told


def test_a_projects_own_provider_is_listed(cli, project):
    folder = project({"providers/mine.json": '{"endpoint": "https://example.com/v1", "wire": "openai_chat"}'})
    assert "mine" in cli("providers", cwd=folder).stdout


def test_models_by_a_part_of_the_name(cli):
    head, *lines = cli("models", "gpt-4o").stdout.splitlines()
    assert head.split() == [
        "MODEL",
        "CONTEXT",
        "MAX",
        "OUT",
        "$",
        "IN",
        "/",
        "1M",
        "$",
        "OUT",
        "/",
        "1M",
        "CAPABILITIES",
    ]
    assert lines
    assert all("gpt-4o" in line for line in lines)
    row = next(line for line in lines if line.startswith("openai/gpt-4o "))
    assert row.split()[1:5] == ["128,000", "16,384", "2.5", "10"]


def test_models_by_pattern_by_alias_and_without_case(cli):
    names = [row["name"] for row in json.loads(cli("models", "openai/GPT-4O*", "--json").stdout)]
    assert names[:2] == ["openai/gpt-4o", "openai/gpt-4o-mini"]
    assert all("/gpt-4o" in name for name in names)
    assert "openai/gpt-4o-mini" in cli("models", "gpt-4o-mini-2024-07-18").stdout


def test_models_of_one_provider_as_json(cli):
    rows = json.loads(cli("models", "--provider", "local", "--json").stdout)
    assert {row["name"].partition("/")[0] for row in rows} == {"local"}
    found = {row["name"]: row for row in rows}
    assert found["local/default"]["capabilities"] == ["json-schema"]
    assert found["local/all-MiniLM-L6-v2"]["capabilities"] == ["embeddings"]
    assert rows[0]["input_usd_per_1m"] == 0


def test_what_is_unknown_is_a_dash_and_null(cli, project):
    definition = {"endpoint": "https://example.com/v1", "wire": "openai_chat", "models": {"m": {}}}
    folder = project({"providers/mine.json": json.dumps(definition)})
    assert cli("models", "mine/m", cwd=folder).stdout.splitlines()[1].split() == ["mine/m", "-", "-", "-", "-", "-"]
    assert json.loads(cli("models", "mine/m", "--json", cwd=folder).stdout)[0]["input_usd_per_1m"] is None
