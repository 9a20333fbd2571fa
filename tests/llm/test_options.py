"""A misspelt or impossible option is named where it is passed."""

import pytest

from lambdallm import Prompt, WireClient, handler
from lambdallm.llm import ClientConfig, create_llm_client
from lambdallm.llm.errors import ConfigurationError, PromptError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tempreture": 1}, "'tempreture'.*'temperature'"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"max_tokens": 1.5}, "max_tokens is 1.5"),
        ({"top_p": True}, "top_p is True"),
    ],
)
def test_of_a_call(options, message):
    for ask in (WireClient("echo").chat, WireClient("echo").stream):
        with pytest.raises(ConfigurationError, match=message):
            ask("Hi", **options)


def test_of_a_client():
    with pytest.raises(ConfigurationError, match=r"'api_kye'.*'api_key'"):
        WireClient("echo", api_kye="k")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"timeout": "5"}, "timeout is '5'. Give seconds"),
        ({"connect_timeout": -1}, "connect_timeout is -1. Give seconds"),
        ({"max_retries": -1}, "max_retries is -1. Use a whole number of at least 0"),
        ({"max_retries": 1.5}, "max_retries is 1.5"),
    ],
)
@pytest.mark.parametrize("make", [WireClient, create_llm_client])
def test_of_the_settings_of_a_client(make, setting, message):
    with pytest.raises(ConfigurationError, match=message):
        make("echo", **setting)


@pytest.mark.parametrize("setting", [{"failure_threshold": 0}, {"hedge_seconds": True}, {"total_timeout": "1"}])
def test_of_a_configuration(setting):
    with pytest.raises(ConfigurationError, match=next(iter(setting))):
        ClientConfig("echo", **setting)


@pytest.mark.parametrize("listeners", [print, [5], None])
def test_listeners_are_a_list_of_functions(listeners):
    with pytest.raises(ConfigurationError, match="listeners is"):
        create_llm_client("echo", listeners=listeners)


def test_of_an_embedding():
    with pytest.raises(ConfigurationError, match=r"'dimension'.*'dimensions'"):
        WireClient("echo").embed(["a"], dimension=3)


def test_of_a_prompt():
    with pytest.raises(ConfigurationError, match="max_tokens is 'many'"):
        Prompt("x", max_tokens="many")


def test_a_variable_the_template_does_not_use_is_never_taken_for_something_else():
    with pytest.raises(PromptError, match="'name'"):
        handler(model="echo")(lambda event, context: context.invoke("Hello", name="World"))({}, None)
