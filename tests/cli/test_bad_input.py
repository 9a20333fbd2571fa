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

CONFIG = "lambdallm.json"
YAML = "lambdallm.yaml"


def case(*words, tells, app=APP, files=None, env=None):
    return {"words": words, "tells": tells, "files": {"app.py": app, **(files or {})}, "env": env or {}}


BAD_SETTING = """
    from lambdallm import handler

    @handler(max_retries=-1)
    def lambda_handler(event, context): ...
"""
CASES = {
    "unknown model": case(*ADA, "--model", "gtp-4o", tells=["'gtp-4o'", "Did you mean"]),
    "unknown model in the configuration": case(
        *ADA, files={CONFIG: '{"model": "nobody"}'}, tells=["'nobody'", "lambdallm models"]
    ),
    "missing variable": case("invoke", files={CONFIG: ECHO}, tells=["app.py, line 5", "needs 'name'", "Pass name=…"]),
    "missing key": case(*ADA, "--model", "openai/gpt-4o", tells=["No API key for OpenAI", "Set OPENAI_API_KEY"]),
    "unreachable endpoint": case(
        *ADA, "--model", "openai_compatible/m", env=NOWHERE, tells=["http://127.0.0.1:9", "Check the endpoint"]
    ),
    "invalid YAML": case(
        *ADA, files={YAML: "model: [echo\nmax_retries: 3\n"}, tells=["lambdallm.yaml, line 2", "Correct that line"]
    ),
    "invalid JSON": case(*ADA, files={CONFIG: "{model: echo}"}, tells=["lambdallm.json", "line 1"]),
    "unknown setting": case(*ADA, files={YAML: "modle: echo\n"}, tells=["'modle'", "Did you mean 'model'"]),
    "setting of the wrong kind": case(*ADA, files={CONFIG: '{"max_retries": "3"}'}, tells=["max_retries is '3'"]),
    "bad event": case(
        "invoke", "--event", "e.json", files={"e.json": '{\n  "name": Ada\n}'}, tells=["e.json, line 2", "not JSON"]
    ),
    "bad data": case("invoke", "--data", "{name}", tells=["--data, line 1", "not JSON"]),
    "missing event": case(
        "invoke",
        "--event",
        "events/b.json",
        files={"events/a.json": "{}"},
        tells=["'events/b.json'", "There is events/a.json"],
    ),
    "missing file": case("invoke", "ap.py", tells=["'ap.py'", "Correct the path"]),
    "missing function": case(
        "invoke", "app.py:lambda_handle", tells=["'lambda_handle'", "Did you mean 'lambda_handler'"]
    ),
    "missing module": case("invoke", "src.app.fn", tells=["'src.app.fn'", "app.py:lambda_handler"]),
    "two handlers": case("invoke", app=TWO, tells=["app.py has 2 handlers: lambda_handler, second", "Name one"]),
    "no handler": case("invoke", app="x = 1", tells=["app.py has no function with @handler", "Decorate one"]),
    "syntax error": case("invoke", app="def (:", tells=["app.py, line 1", "SyntaxError", "Correct that line"]),
    "missing import": case(
        "invoke", app="import nowhere_at_all", tells=["app.py, line 1", "nowhere_at_all", "Install it"]
    ),
    "bad setting in code": case("invoke", app=BAD_SETTING, tells=["app.py, line 3", "max_retries is -1"]),
    "bad limit": case("invoke", "--timeout", "0", tells=["--timeout is 0", "1 to 900"]),
    "limit in words": case("invoke", "--timeout", "long", tells=["'long'", "lambdallm invoke --help"]),
    "unknown template": case("init", "x", "--template", "chta", tells=["'chta'", "Did you mean 'chat'"]),
    "unknown model for a project": case("init", "x", "--model", "gtp-4o", tells=["'gtp-4o'", "Did you mean"]),
    "file in the way": case("init", tells=["app.py' exists", "--force"]),
    "unknown provider": case("models", "--provider", "opneai", tells=["'opneai'", "Did you mean 'openai'"]),
    "unknown pattern": case("models", "gpt-99-none", tells=["'gpt-99-none'"]),
    "bad providers file": case("providers", files={"providers/mine.json": "{"}, tells=["mine.json is not JSON"]),
    "bad port": case("dev", "--port", "99999", tells=["--port is 99999", "0 to 65535"]),
    "dev with a function that is not there": case(
        "dev", "app.py:lamda_handler", "--port=0", app=TWO, tells=["'lamda_handler'", "Did you mean 'lambda_handler'"]
    ),
    "dev with too little memory": case("dev", "--memory", "64", tells=["--memory is 64", "128 to 10240"]),
    "dev with an unknown model": case("dev", "--model", "gtp-4o", tells=["'gtp-4o'", "Did you mean"]),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_that_names_the_value_and_the_fix(name, cli, project):
    given = CASES[name]
    told = cli(*given["words"], cwd=project(given["files"]), env=given["env"])
    assert told.returncode == 2, told.stderr
    assert told.stderr.startswith("error: ")
    assert told.stderr.count("\n") == 1
    assert [part for part in given["tells"] if part not in told.stderr] == [], told.stderr
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
