"""Parameters and secrets, from the emulated services and from scripts."""

import json

import pytest

import servers
from lambdallm.llm.flow import Send
from lambdallm.llm.services import JsonService, ParameterStore, SecretsManager, ServiceError
from lambdallm.llm.services.parameters import SSM
from lambdallm.llm.services.secrets import SECRETS
from lambdallm.testing import Script


@pytest.fixture
def parameters(aws, run):
    for number in range(12):
        body = {"Name": f"/app/{number}", "Value": f"value {number}", "Type": "SecureString", "Overwrite": True}
        run(JsonService(SSM).call("PutParameter", body))
    return ParameterStore()


def test_a_parameter_is_read_decrypted(parameters, run):
    assert run(parameters.get("/app/7")) == "value 7"


def test_many_parameters_are_read_ten_at_a_time(parameters, run):
    names = [f"/app/{number}" for number in range(12)]
    assert run(parameters.get_many([*names, names[0]])) == {f"/app/{n}": f"value {n}" for n in range(12)}


def test_a_missing_parameter_is_named(parameters, run):
    with pytest.raises(ServiceError, match=r"'/app/none'.*Create the parameter") as failed:
        run(parameters.get("/app/none"))
    assert failed.value.code == "ParameterNotFound"
    with pytest.raises(ServiceError, match="no parameter '/app/x', '/app/y'"):
        run(parameters.get_many(["/app/1", "/app/x", "/app/y"]))


def test_parameters_are_known_by_what_they_were_asked_by(answer):
    arn = "arn:aws:ssm:eu-north-1:1:parameter/b"
    held = [
        {"Name": "/a", "Selector": ":3", "ARN": "arn:aws:ssm:eu-north-1:1:parameter/a", "Value": "one"},
        {"Name": "/b", "ARN": arn, "Value": "two"},
    ]
    script = Script([answer(Parameters=held, InvalidParameters=[])], servers.AWS)
    assert script.run(ParameterStore().get_many(["/a:3", arn])) == {"/a:3": "one", arn: "two"}
    assert json.loads(script.of(Send)[0].request.body)["WithDecryption"] is True


@pytest.fixture
def secrets(aws, run):
    service = JsonService(SECRETS)
    held = {"plain": {"SecretString": "word"}, "object": {"SecretString": json.dumps({"key": "inner", "n": 7})}}
    for name, value in {**held, "binary": {"SecretBinary": "d29yZA=="}, "raw": {"SecretBinary": "/w=="}}.items():
        try:
            run(service.call("CreateSecret", {"Name": name, **value}))
        except ServiceError as error:
            assert error.code == "ResourceExistsException"  # noqa: PT017
    return SecretsManager()


def test_a_secret_is_read_as_text(secrets, run):
    assert run(secrets.get("plain")) == run(secrets.get("binary")) == "word"


def test_a_key_within_a_secret_is_read(secrets, run):
    assert run(secrets.get("object", json_key="key")) == "inner"
    assert run(secrets.get("object", json_key="n")) == "7"


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        ("none", None, "'none'.*Create the secret"),
        ("object", "other", "'object' has no key 'other'"),
        ("plain", "key", "'plain' is no JSON object"),
        ("raw", None, "'raw' is binary"),
    ],
)
def test_what_a_secret_holds_is_in_no_error(secrets, run, name, key, message):
    with pytest.raises(ServiceError, match=message) as failed:
        run(secrets.get(name, json_key=key))
    shown = f"{failed.value} {failed.value!r} {failed.value.__dict__}"
    assert "inner" not in shown
    assert "word" not in shown
