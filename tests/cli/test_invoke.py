"""`lambdallm invoke`: where the event comes from, which function runs, what is printed where."""

import json
import subprocess
import sys
import time

import pytest

REPEAT = """
    from lambdallm import handler

    @handler(model="echo")
    def lambda_handler(event, context):
        return event
"""
ASK = """
    from lambdallm import handler

    @handler(model="echo", max_retries=0)
    def lambda_handler(event, context):
        return context.invoke("Say {word}", word=event["word"])
"""
STREAM = """
    import os, time
    from lambdallm import handler

    @handler
    def lambda_handler(event, context):
        yield "one "
        while not os.path.exists(os.environ["GATE"]):
            time.sleep(0.01)
        yield "two"
"""


def result(told):
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)["result"]


def test_an_event_from_a_file_from_stdin_and_from_the_command_line(cli, project):
    folder = project({"app.py": REPEAT, "e.json": '{"n": 1}'})
    assert result(cli("invoke", "--json", "--event", "e.json", cwd=folder)) == {"n": 1}
    assert result(cli("invoke", "--json", "--event", "-", cwd=folder, stdin='{"n": 2}')) == {"n": 2}
    assert result(cli("invoke", "--json", "--data", '{"n": 3}', cwd=folder)) == {"n": 3}
    assert result(cli("invoke", "--json", "--data", "just text", cwd=folder)) == "just text"
    assert result(cli("invoke", "--json", cwd=folder)) == {}


@pytest.mark.parametrize("target", ["app.py:lambda_handler", "app.lambda_handler", "app:lambda_handler", "app.py", "."])
def test_ways_to_name_a_function(cli, project, target):
    assert result(cli("invoke", target, "--json", cwd=project({"app.py": REPEAT}))) == {}


def test_a_function_in_another_folder_sees_that_folder_as_its_own(cli, project):
    """As on Lambda: imports, configuration and open files start from the function's folder."""
    app = """
        import helper
        from lambdallm import handler

        @handler
        def lambda_handler(event, context):
            return [helper.NAME, open("note.md").read(), str(context.settings.model)]
    """
    files = {
        "fn/app.py": app,
        "fn/helper.py": "NAME = 'h'",
        "fn/note.md": "n",
        "fn/lambdallm.json": '{"model": "echo"}',
    }
    assert result(cli("invoke", "fn/app.py", "--json", cwd=project(files))) == ["h", "n", "echo"]


def test_a_function_without_the_decorator_is_run_by_name(cli, project):
    folder = project({"app.py": "def plain(event, context):\n    return [event, context.function_name]"})
    assert result(cli("invoke", "app.plain", "--json", "--data", "1", cwd=folder)) == [1, "plain"]


def test_the_context_counts_down_from_the_limit(cli, project):
    app = "def f(event, context):\n    return context.get_remaining_time_in_millis()"
    left = result(cli("invoke", "app.f", "--json", "--timeout", "7", cwd=project({"app.py": app})))
    assert 6000 < left <= 7000


def test_json_has_result_calls_tokens_cost_and_times(cli, project):
    told = cli("invoke", "--json", "--data", '{"word": "hello"}', cwd=project({"app.py": ASK}))
    report = json.loads(told.stdout)
    assert report["result"] == "Say hello"
    assert (report["tokens_in"], report["tokens_out"], report["cost_usd"]) == (2, 2, 0)
    assert report["duration_ms"] > 0
    (call,) = report["calls"]
    assert (call["provider"], call["model"], call["finish_reason"]) == ("echo", "echo", "stop")
    assert told.stderr == ""


def test_the_answer_goes_to_stdout_and_the_summary_to_stderr(cli, project):
    told = cli("invoke", "--data", '{"word": "hello"}', cwd=project({"app.py": ASK}))
    assert told.stdout == "Say hello\n"
    assert told.stderr.startswith("echo/echo · 2 tokens in, 2 out · $0 · ")
    assert told.stderr.endswith(" in all\n")


def test_a_response_shows_its_body_as_json_with_indents(cli, project):
    app = "def f(event, context):\n    return {'statusCode': 201, 'body': '{\"a\": [1]}'}"
    told = cli("invoke", "app.f", cwd=project({"app.py": app}))
    assert told.stdout == '{\n  "a": [\n    1\n  ]\n}\n'
    assert told.stderr.startswith("HTTP 201 · no call to a model · ")


def test_a_stream_is_shown_while_it_is_made(environ, project, tmp_path):
    folder, gate = project({"app.py": STREAM}), tmp_path / "gate"
    with subprocess.Popen(
        [sys.executable, "-m", "lambdallm", "invoke"],
        cwd=folder,
        env={**environ, "GATE": str(gate)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.read(4) == b"one "
        gate.touch()
        assert process.stdout.read() == b"two\n"
        assert b"first token" in process.stderr.read()


EVENTS = """
    from lambdallm import StreamingResponse, handler

    @handler(model="echo")
    async def lambda_handler(event, context):
        return StreamingResponse(context.astream("grüß dich"), status=201, format="sse")

    @handler
    def broken(event, context):
        yield "one"
        raise KeyError("two")

    def plain(event, context):
        yield "gr"
        yield {"a": 1}
"""
URL = {"requestContext": {"http": {"method": "GET", "path": "/"}, "domainName": "a.lambda-url.eu-west-1.on.aws"}}


def test_a_streamed_response_is_shown_as_its_client_gets_it(cli, project):
    folder = project({"app.py": EVENTS})
    told = cli("invoke", "app.lambda_handler", "--data", json.dumps(URL), cwd=folder)
    assert told.stdout.startswith('data: {"text":"grüß"}\n\ndata: {"text":" dich"}\n\nevent: done\ndata: {')
    assert told.stderr.startswith("HTTP 201 · echo/echo · ")
    got = result(cli("invoke", "app.lambda_handler", "--json", "--data", json.dumps(URL), cwd=folder))
    assert (got["statusCode"], got["headers"]["Content-Type"]) == (201, "text/event-stream")
    assert result(cli("invoke", "app.plain", "--json", cwd=folder)) == 'gr{"a":1}'


def test_an_error_in_a_stream_is_explained_after_what_came(cli, project):
    told = cli("invoke", "app.broken", "--data", json.dumps(URL), cwd=project({"app.py": EVENTS}))
    assert (told.returncode, told.stdout) == (1, "one\n")
    assert "KeyError" in told.stderr


def test_another_model_in_the_place_of_the_handlers(cli, project):
    folder = project({"app.py": ASK.replace('"echo"', '"openai/gpt-4o"')})
    told = cli("invoke", "--model", "echo", "--data", '{"word": "hello"}', cwd=folder)
    assert told.stdout == "Say hello\n"


def test_an_unknown_price_is_not_zero(cli, project):
    free = {"endpoint": "echo:///v1", "wire": "openai_chat", "transport": "lambdallm.llm.clients.echo:EchoTransport"}
    definition = json.dumps({**free, "auth": [{"type": "none"}], "default_model": "echo"})
    folder = project({"app.py": ASK, "providers/mine.json": definition})
    words = ("invoke", "--model", "mine", "--data", '{"word": "hello"}')
    assert "cost unknown" in cli(*words, cwd=folder).stderr
    assert json.loads(cli(*words, "--json", cwd=folder).stdout)["cost_usd"] is None


def test_longer_than_the_limit_is_said(cli, project):
    app = "import time\ndef f(event, context):\n    time.sleep(0.2)"
    told = cli("invoke", "app.f", "--timeout", "0.1", cwd=project({"app.py": app}))
    assert "over the limit of 0.1 s: Lambda would have stopped it" in told.stderr


def test_ctrl_c_ends_it_without_a_word(environ, project, tmp_path):
    import signal

    folder = project({"app.py": STREAM})
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdallm", "invoke"],
        cwd=folder,
        env={**environ, "GATE": str(tmp_path / "never")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a shell may have it ignored
    )
    with process:
        assert process.stdout.read(4) == b"one "
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == b""
