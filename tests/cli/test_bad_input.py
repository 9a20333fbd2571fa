"""What a person gets wrong: one clear line that names the value and the fix, exit code 2, no traceback."""

import pytest

APP = """
    from lambdallm import handler

    @handler(max_retries=0)
    def lambda_handler(event, context):
        return context.invoke("Hello {name}", **event)
"""
TWO = (
    APP
    + """
    @handler
    def second(event, context):
        return "2"
"""
)
ECHO = '{"model": "echo"}'
ADA = ("invoke", "--data", '{"name": "Ada"}')
NOWHERE = {"OPENAI_COMPATIBLE_BASE_URL": "http://127.0.0.1:9/v1"}

CASES = {
    "unknown model": (APP, {}, {}, (*ADA, "--model", "gtp-4o"), ["'gtp-4o'", "Did you mean"]),
    "unknown model in the configuration": (APP, {"lambdallm.json": '{"model": "nobody"}'}, {}, ADA, ["'nobody'", "lambdallm models"]),
    "missing variable": (APP, {"lambdallm.json": ECHO}, {}, ("invoke",), ["app.py, line 5", "needs 'name'", "Pass name=…"]),
    "missing key": (APP, {}, {}, (*ADA, "--model", "openai/gpt-4o"), ["No API key for OpenAI", "Set OPENAI_API_KEY"]),
    "unreachable endpoint": (APP, {}, NOWHERE, (*ADA, "--model", "openai_compatible/m"), ["http://127.0.0.1:9", "Check the endpoint"]),
    "invalid YAML": (APP, {"lambdallm.yaml": "model: [echo\nmax_retries: 3\n"}, {}, ADA, ["lambdallm.yaml, line 2", "Correct that line"]),
    "invalid JSON configuration": (APP, {"lambdallm.json": "{model: echo}"}, {}, ADA, ["lambdallm.json", "line 1"]),
    "unknown setting": (APP, {"lambdallm.yaml": "modle: echo\n"}, {}, ADA, ["'modle'", "Did you mean 'model'"]),
    "bad event JSON": (APP, {"e.json": '{\n  "name": Ada\n}'}, {}, ("invoke", "--event", "e.json"), ["e.json, line 2", "not JSON"]),
    "bad data": (APP, {}, {}, ("invoke", "--data", "{name}"), ["--data, line 1", "not JSON"]),
    "missing event": (APP, {"events/a.json": "{}"}, {}, ("invoke", "--event", "events/b.json"), ["'events/b.json'", "There is events/a.json"]),
    "missing file": (APP, {}, {}, ("invoke", "ap.py"), ["'ap.py'"]),
    "missing function": (APP, {}, {}, ("invoke", "app.py:lambda_handle"), ["'lambda_handle'", "Did you mean 'lambda_handler'"]),
    "missing module": (APP, {}, {}, ("invoke", "src.app.fn"), ["'src.app.fn'", "app.py:lambda_handler"]),
    "two handlers": (TWO, {}, {}, ("invoke",), ["app.py has 2 handlers: lambda_handler, second", "app.py:lambda_handler"]),
    "no handler": ("x = 1", {}, {}, ("invoke",), ["app.py has no function with @handler"]),
    "syntax error": ("def (:", {}, {}, ("invoke",), ["app.py, line 1", "SyntaxError", "Correct that line"]),
    "missing import": ("import nowhere_at_all", {}, {}, ("invoke",), ["app.py, line 1", "nowhere_at_all", "Install it"]),
    "bad setting in code": ("from lambdallm import handler\n@handler(max_retries=-1)\ndef f(e, c): ...", {}, {}, ("invoke",),
                            ["app.py, line 2", "max_retries is -1"]),
    "bad limit": (APP, {}, {}, ("invoke", "--timeout", "0"), ["--timeout is 0", "1 to 900"]),
    "limit in words": (APP, {}, {}, ("invoke", "--timeout", "long"), ["'long'", "lambdallm invoke --help"]),
    "unknown template": (APP, {}, {}, ("init", "x", "--template", "chta"), ["'chta'", "Did you mean 'chat'"]),
    "unknown model for a project": (APP, {}, {}, ("init", "x", "--model", "gtp-4o"), ["'gtp-4o'", "Did you mean"]),
    "file in the way": (APP, {}, {}, ("init",), ["app.py' exists", "--force"]),
    "unknown provider": (APP, {}, {}, ("models", "--provider", "opneai"), ["'opneai'", "Did you mean 'openai'"]),
    "unknown pattern": (APP, {}, {}, ("models", "gpt-99-none"), ["'gpt-99-none'"]),
    "bad providers file": (APP, {"providers/mine.json": "{"}, {}, ("providers",), ["mine.json is not JSON"]),
    "bad port": (APP, {}, {}, ("dev", "--port", "99999"), ["--port is 99999", "0 to 65535"]),
    "dev with two handlers": (TWO, {}, {}, ("dev", "--port", "0"), ["2 handlers: lambda_handler, second"]),
    "dev with an unknown model": (APP, {}, {}, ("dev", "--model", "gtp-4o"), ["'gtp-4o'"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_line_that_names_the_value_and_the_fix(case, cli, project):
    app, files, env, words, expected = CASES[case]
    if any(name.endswith(".yaml") for name in files):
        pytest.importorskip("yaml")
    told = cli(*words, cwd=project({"app.py": app, **files}), env=env)
    assert told.returncode == 2, told.stderr
    assert told.stderr.startswith("error: ")
    assert told.stderr.count("\n") == 1
    assert [part for part in expected if part not in told.stderr] == []
    assert told.stderr.rstrip()[-1] in ".?…"


def test_debug_adds_the_traceback(cli, project):
    told = cli("invoke", "--debug", cwd=project({"app.py": APP, "lambdallm.json": ECHO}))
    assert told.returncode == 2
    assert told.stderr.startswith("Traceback")
    assert told.stderr.splitlines()[-1].startswith("error: ")


def test_a_bug_in_the_function_shows_its_authors_lines_alone(cli, project):
    app = """
        from lambdallm import handler

        @handler
        def lambda_handler(event, context):
            return deeper(event)

        def deeper(event):
            return event["nothing"]
    """
    told = cli("invoke", cwd=project({"app.py": app}))
    assert told.returncode == 1
    assert "line 5, in lambda_handler" in told.stderr
    assert "line 8, in deeper" in told.stderr
    assert "core/handler.py" not in told.stderr
    assert told.stderr.splitlines()[-1] == "error: KeyError: 'nothing'"


def test_keys_are_not_told(cli, project):
    secret = {"OPENAI_API_KEY": "sk-very-secret", "OPENAI_BASE_URL": "http://127.0.0.1:9"}
    folder = project({"app.py": APP})
    for words in ((*ADA, "--model", "openai/gpt-4o", "--debug"), ("providers",), ("providers", "--json")):
        told = cli(*words, cwd=folder, env=secret)
        assert "sk-very-secret" not in told.stdout + told.stderr
