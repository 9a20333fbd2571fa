import pytest

from lambdallm.runtime.emulator import ConfigurationError, Emulator, Function
from lambdallm.runtime.emulator.variables import variables


def seen(**options):
    return variables(
        Function(name="app", code="/code", **options), api="127.0.0.1:1", region="eu-west-1", stream="s", scratch=None
    )


def test_what_lambda_sets(monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    names = seen(memory_mb=256, handler="a.b", version="3")
    assert {key: names[key] for key in names if key not in ("PATH", "AWS_EXECUTION_ENV")} == {
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "TZ": ":UTC",
        "_HANDLER": "a.b",
        "LAMBDA_TASK_ROOT": "/code",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": "app",
        "AWS_LAMBDA_FUNCTION_VERSION": "3",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/app",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
    }


def test_a_functions_own_variables_count_but_not_over_the_platforms():
    names = seen(environment={"LANG": "de", "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "test", "TZ": "CET"})
    assert (names["LANG"], names["AWS_REGION"], names["AWS_ACCESS_KEY_ID"]) == ("de", "us-west-2", "test")
    assert names["TZ"] == ":UTC"


def test_a_developers_shell_lies_under_the_functions_own():
    assert seen(shell={"A": "shell", "B": "shell"}, environment={"A": "own"})["A"] == "own"
    assert seen(shell={"B": "shell"})["B"] == "shell"


def test_more_than_4_kb_of_them_is_refused():
    with Emulator() as emulator, pytest.raises(ConfigurationError, match="4099 bytes; Lambda takes 4096"):
        emulator.add(Function(name="app", code=".", environment={"KEY": "x" * 4096}))


def test_what_would_make_a_managed_instance_of_it_is_refused():
    with Emulator() as emulator, pytest.raises(ConfigurationError, match="one invocation at a time"):
        emulator.add(Function(name="app", code=".", environment={"AWS_LAMBDA_MAX_CONCURRENCY": "4"}))
