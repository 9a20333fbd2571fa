"""The playground's server: every route of its API, of a real `lambdallm dev` and its functions' processes."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dev_served import Served
from server_events import events

APP = '''
    """A shop."""
    import os, time
    from lambdallm import Prompt, handler
    from lambdallm.chains import Chain, Step

    greet = Prompt("Hello {name}", input_schema={"name": str}, system_prompt="Be kind.")
    judge = Prompt("Judge {text}", output_schema={"mood": ["good", "bad"]}, name="the judge")
    report = Chain("report", [Step("facts", "Facts of {text}"), Step("words", func=lambda facts: facts.split())])

    @handler(model="echo")
    def lambda_handler(event, context):
        """Says it again.

        And no more.
        """
        print("asked", event.get("text"))
        return {"said": context.invoke("{text}", text=event["text"])}

    @handler(model="echo")
    def slow(event, context):
        yield "one "
        while not os.path.exists("gate"):
            time.sleep(0.01)
        yield "two"
'''


@pytest.fixture
def dev(serve, project):
    """A playground: dev() starts one with the shop, dev({...}) with files beside it."""

    def start(files=None, *args, env=None):
        return Playground(serve(project({"app.py": APP, **(files or {})}), *args, env=env))

    return start


class Playground:
    def __init__(self, served):
        self.served = served

    def get(self, path, **options):
        status, body = self.served.get(f"/_playground/{path}", **options)
        return status, json.loads(body)

    def post(self, path, body):
        headers = {"Content-Type": "application/json"}
        return self.get(f"api/{path}", method="POST", body=json.dumps(body), headers=headers)

    def run(self, kind, id, **body):
        """All events of a run, and the run."""
        with self.begin(kind, id, **body) as response:
            found = [(name, json.loads(data)) for name, data in events(response.read())]
        assert found[0][0] == "begin"
        assert found[-1][0] == "end"
        return found, found[-1][1]

    @contextlib.contextmanager
    def begin(self, kind, id, **body):
        headers = {"Content-Type": "application/json"}
        asked = json.dumps({"kind": kind, "id": id, **body})
        with self.served.open("POST", "/_playground/api/run", asked, headers) as response:
            yield response


def next_event(response):
    """The next event of a stream, as it comes."""
    lines = []
    while (line := response.readline()) not in (b"\n", b""):
        lines.append(line)
    return events(b"".join(lines) + b"\n")


def wait_for_event(response, name):
    while not (found := next_event(response)) or found[0][0] != name:
        pass
    return json.loads(found[0][1])


class TestProject:
    def test_lists_functions_prompts_and_chains_with_what_they_want(self, dev):
        playground = dev({"events/hello.json": '{"text": "hello"}'})
        status, project = playground.get("api/project")
        assert (status, project["error"], project["agents"]) == (200, None, [])
        first, second = project["functions"]
        assert (first["id"], first["file"], first["line"], first["doc"]) == (
            "app.lambda_handler", "app.py", 11, "Says it again.",
        )  # fmt: skip
        assert first["settings"] == {"model": "echo", "timeout_strategy": "fail-fast", "fallback_model": None}
        assert [sample["name"] for sample in first["samples"]] == ["events/hello.json", "function URL"]
        assert json.loads(first["samples"][1]["event"]["body"]) == {"text": "hello"}
        assert second["url"].endswith("/slow/")
        greet, judge = project["prompts"]
        assert (greet["id"], greet["name"], greet["template"], greet["system"]) == (
            "app.greet", "greet", "Hello {name}", "Be kind.",
        )  # fmt: skip
        assert greet["inputs"][0]["type"] == "string"
        assert judge["name"] == "the judge"
        (report,) = project["chains"]
        assert [(step["name"], step["kind"]) for step in report["steps"]] == [("facts", "step"), ("words", "function")]
        assert [field["name"] for field in report["inputs"]] == ["text"]
        assert project["models"][0] == "echo"

    def test_has_the_prompts_of_files_and_registries(self, dev):
        playground = dev(
            {
                "prompts/kept.json": '{"name": "kept", "template": "Keep {it}"}',
                "prompts/broken.json": "{",
                "more.py": "from lambdallm.core.prompts import PromptRegistry\nshelf = PromptRegistry('shelf')",
                "shelf/one.json": '{"name": "one", "template": "One {x}"}',
                "app.py": "import more\n" + textwrap.dedent(APP),
            }
        )
        _, project = playground.get("api/project")
        ids = {prompt["id"]: prompt["template"] for prompt in project["prompts"]}
        assert ids["prompts/kept.json"] == "Keep {it}"
        assert ids["more.shelf:one"] == "One {x}"
        _, run = playground.run("prompt", "prompts/kept.json", inputs={"it": "up"}, model="echo")
        assert run["result"] == "Keep up"

    def test_begins_with_what_the_files_say_where_the_code_can_not_be_loaded(self, dev):
        _, told = dev({"app.py": APP + "\n    1 / 0\n"}).get("api/project")
        assert told["error"]["errorType"] == "ZeroDivisionError"
        assert [(one["id"], one["file"]) for one in told["functions"]] == [
            ("app.lambda_handler", "app.py"), ("app.slow", "app.py"),
        ]  # fmt: skip
        assert (told["prompts"], told["chains"], told["agents"]) == ([], [], [])

    def test_has_the_rest_where_one_file_is_broken(self, dev):
        more = "from lambdallm import handler\n@handler\ndef other(e, c): return 1\n1 / 0"
        playground = dev({"more.py": more})
        _, told = playground.get("api/project")
        assert told["error"]["errorType"] == "ZeroDivisionError"
        assert [one["id"] for one in told["prompts"]] == ["app.greet", "app.judge"]
        assert playground.run("prompt", "app.greet", inputs={"name": "you"})[1]["result"] == "Hello you"
        assert playground.run("prompt", "more.any")[1]["error"]["errorType"] == "ZeroDivisionError"

    def test_keeps_what_was_known_while_the_code_is_broken(self, dev, project):
        playground = dev()
        assert playground.get("api/project")[1]["error"] is None
        project({"app.py": "def (:"})
        _, told = playground.get("api/project")
        assert told["error"]["errorType"] == "SyntaxError"
        assert [function["id"] for function in told["functions"]] == ["app.lambda_handler", "app.slow"]
        project({"app.py": APP.replace("Hello", "Goodbye")})
        _, told = playground.get("api/project")
        assert (told["error"], told["prompts"][0]["template"]) == (None, "Goodbye {name}")


class TestRuns:
    def test_a_prompt_streams_its_text_and_tells_its_call(self, dev):
        found, run = dev().run("prompt", "app.greet", inputs={"name": "you all"})
        assert "".join(data["text"] for name, data in found if name == "piece") == "Hello you all"
        assert (run["result"], run["streamed"], run["error"], run["kind"]) == ("Hello you all", True, None, "prompt")
        (call,) = run["calls"]
        assert (call["provider"], call["model"], call["finish_reason"]) == ("echo", "echo", "stop")
        assert [(m["role"], m["parts"][0]["text"]) for m in call["messages"]] == [
            ("system", "Be kind."), ("user", "Hello you all"),
        ]  # fmt: skip
        assert call["answer"]["parts"] == [{"type": "text", "text": "Hello you all"}]
        assert call["begun_ms"] <= call["first_token_ms"] <= call["ended_ms"]
        assert (run["tokens_out"], run["cost_usd"]) == (3, 0)
        assert [(span["name"], span["kind"], span["depth"]) for span in run["spans"]] == [
            ("invocation", "invoke", 0), ("echo/echo", "model", 1),
        ]  # fmt: skip

    def test_a_prompt_with_a_shape_gives_data(self, dev):
        _, run = dev().run("prompt", "app.judge", inputs={"text": "it"})
        assert (run["result"], run["streamed"]) == ({"mood": "good"}, False)

    def test_an_edited_prompt_runs_as_edited(self, dev):
        edits = {"template": "Bye {who}", "system": "Be short.", "max_tokens": 3}
        _, run = dev().run("prompt", "app.greet", inputs={"name": "gone", "who": "you"}, **edits)
        assert (run["result"], run["template"]) == ("Bye you", "Bye {who}")
        assert run["calls"][0]["messages"][0]["parts"][0]["text"] == "Be short."

    def test_a_chain_tells_its_steps(self, dev):
        _, run = dev().run("chain", "app.report", inputs={"text": "life"})
        assert run["result"]["output"] == ["Facts", "of", "life"]
        assert [(span["name"], span["depth"]) for span in run["spans"]] == [
            ("invocation", 0), ("step facts", 1), ("echo/echo", 2), ("step words", 1),
        ]  # fmt: skip

    def test_a_chain_runs_on_another_model_with_other_limits(self, dev, upstream):
        files = {
            "app.py": APP.replace('"echo"', '"openai/gpt-4o"'),
            "providers/stub.json": json.dumps(definition(upstream)),
        }
        _, run = dev(files).run(
            "chain", "app.report", inputs={"text": "x"}, model="stub/m", max_tokens=7, temperature=0
        )
        assert (run["calls"][0]["provider"], run["model"]) == ("stub", "stub/m")
        assert (upstream.asked[0]["max_tokens"], upstream.asked[0]["temperature"]) == (7, 0)

    def test_a_function_gets_its_event_and_its_log_is_told(self, dev):
        found, run = dev().run("function", "app.lambda_handler", event={"text": "hi"})
        assert (run["result"], run["event"], run["status"]) == ({"said": "hi"}, {"text": "hi"}, None)
        assert run["log"] == [{"line": "asked hi", "level": "INFO"}]
        assert ("log", {"line": "asked hi", "level": "INFO"}) in found
        report = run["report"]
        assert report["init_ms"] > 0
        assert run["spans"][0]["kind"] == "init"
        assert (report["memory_mb"], report["billed_ms"] > 0, report["max_memory_mb"] > 0) == (1024, True, True)

    def test_a_functions_response_to_http_is_taken_apart(self, dev):
        playground = dev(
            {"app.py": 'from lambdallm import handler, Response\n@handler\ndef f(e, c): return Response({"a": 1}, 201)'}
        )
        event = playground.get("api/project")[1]["functions"][0]["samples"][1]["event"]
        _, run = playground.run("function", "app.f", event=event)
        assert (run["status"], run["result"]) == (201, {"a": 1})
        assert run["headers"]["Content-Type"].startswith("application/json")

    def test_pieces_come_while_the_function_runs(self, dev, project):
        playground = dev()
        with playground.begin("function", "app.slow", event={}) as response:
            assert wait_for_event(response, "piece") == {"text": "one "}
            project({"gate": ""})
            assert wait_for_event(response, "piece") == {"text": "two"}
            assert wait_for_event(response, "end")["result"] == "one two"

    def test_another_model_may_answer(self, dev):
        _, run = dev({"app.py": APP.replace('"echo"', '"openai/gpt-4o"')}).run(
            "function", "app.lambda_handler", event={"text": "hi"}, model="echo"
        )
        assert (run["result"], run["model"]) == ({"said": "hi"}, "echo")

    def test_an_error_has_the_authors_frames(self, dev):
        _, run = dev().run("function", "app.lambda_handler", event={})
        assert (run["error"]["errorType"], run["error"]["errorMessage"]) == ("KeyError", "'text'")
        (frame,) = run["error"]["stackTrace"]
        assert frame.startswith('  File "app.py", line 17, in lambda_handler\n    return {"said": ')
        assert run["result"] is None

    @pytest.mark.parametrize(
        ("kind", "id", "body", "told"),
        [
            ("prompt", "app.greet", {"inputs": {}}, "name"),
            ("prompt", "app.gone", {}, "has no prompt 'app.gone'"),
            ("prompt", "app.greet", {"inputs": {"name": "x"}, "model": "gtp-4o"}, "No model is called 'gtp-4o'"),
            ("agent", "app.any", {}, "has no agent"),
        ],
    )
    def test_what_can_not_be_run_ends_with_an_error(self, dev, kind, id, body, told):
        _, run = dev().run(kind, id, **body)
        assert told in run["error"]["errorMessage"]

    def test_stop_ends_a_run_and_the_next_one_works(self, dev, project):
        playground = dev()
        with playground.begin("function", "app.slow", event={}) as response:
            id = wait_for_event(response, "begin")["run"]
            wait_for_event(response, "piece")
            assert playground.post("stop", {"run": id}) == (200, {"stopped": True})
            run = wait_for_event(response, "end")
        assert (run["error"]["errorType"], run["result"]) == ("Stopped", "one ")
        assert playground.post("stop", {"run": id}) == (200, {"stopped": False})
        project({"gate": ""})
        assert playground.run("function", "app.slow", event={})[1]["result"] == "one two"


class TestARunThatNeverEnds:
    """A process that is killed tells nothing any more: what is under way has been told before."""

    def test_tells_the_step_it_hangs_in(self, dev):
        app = """
            import time
            from lambdallm import handler
            from lambdallm.chains import Chain, Step

            def hangs(quick):
                time.sleep(60)

            chain = Chain("c", [Step("quick", func=lambda text: text), Step("hangs", func=hangs)])

            @handler(model="echo", timeout_buffer=0)
            def f(event, context):
                return chain.run(context, text="x").output
        """
        _, run = dev({"app.py": app}, "--timeout", "1").run("function", "app.f", event={})
        assert run["error"]["errorType"] == "Sandbox.Timedout"
        assert [span["name"] for span in run["spans"] if span["kind"] == "step"] == ["step quick", "step hangs"]

    def test_tells_the_call_it_was_stopped_in(self, dev, upstream):
        upstream.silent = True
        app = 'from lambdallm import handler\n@handler(model="stub/m")\ndef f(e, c): return c.invoke("Anybody there?")'
        playground = dev({"app.py": app, "providers/stub.json": json.dumps(definition(upstream))})
        with playground.begin("function", "app.f", event={}) as response:
            id = wait_for_event(response, "begin")["run"]
            assert upstream.asked_once.wait(20)
            playground.post("stop", {"run": id})
            run = wait_for_event(response, "end")
        upstream.silent = False
        assert (run["error"]["errorType"], len(run["calls"]), run["calls"][0]["ended_ms"]) == ("Stopped", 1, None)


class TestHistory:
    def test_runs_are_kept_newest_first_and_survive_a_restart(self, dev, serve, project):
        playground = dev()
        for name in ("a", "b"):
            playground.run("prompt", "app.greet", inputs={"name": name})
        _, told = playground.get("api/runs")
        assert [run["result"] for run in told["runs"]] == ["Hello b", "Hello a"]
        assert "messages" not in told["runs"][0]["calls"][0]
        first = told["runs"][-1]["run"]
        playground.served.stop()
        again = Playground(serve(project({})))
        assert again.get(f"api/runs/{first}")[1]["calls"][0]["messages"][1]["parts"][0]["text"] == "Hello a"
        _, run = again.run("prompt", "app.greet", inputs={"name": "c"})
        assert run["run"] == "r3"

    def test_events_from_elsewhere_are_runs_too_and_are_told_at_once(self, dev):
        playground = dev()
        with playground.served.open("GET", "/_playground/api/watch") as watching:
            body = '{"text": "from curl"}'
            playground.served.get("/2015-03-31/functions/lambda_handler/invocations", method="POST", body=body)
            assert wait_for_event(watching, "log")["line"] == "asked from curl"
            run = wait_for_event(watching, "run")
        assert (run["id"], run["result"]) == ("app.lambda_handler", {"said": "from curl"})
        assert playground.get(f"api/runs/{run['run']}")[1]["event"] == {"text": "from curl"}

    def test_new_code_is_told_to_who_watches(self, dev, project):
        playground = dev()
        playground.get("api/project")
        with playground.served.open("GET", "/_playground/api/watch") as watching:
            project({"app.py": APP.replace("Hello", "Goodbye")})
            wait_for_event(watching, "project")
        assert playground.get("api/project")[1]["prompts"][0]["template"] == "Goodbye {name}"


class TestAModelOverHttp:
    def test_its_calls_are_told_with_tools_tokens_and_cost(self, dev, upstream):
        app = """
            from lambdallm import handler

            def weather(city: str):
                "The weather in a city."

            @handler(model="stub/m")
            def f(event, context):
                answer = context.chat("Weather in Rome?", tools=[weather])
                return answer.tool_calls[0].arguments
        """
        _, run = dev({"app.py": app, "providers/stub.json": json.dumps(definition(upstream))}).run(
            "function", "app.f", event={}
        )
        assert run["result"] == {"city": "Rome"}
        (call,) = run["calls"]
        assert (call["provider"], call["model"], call["finish_reason"]) == ("stub", "m", "tool_calls")
        assert call["answer"]["parts"] == [
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Rome"}}
        ]
        assert (call["tokens_in"], call["tokens_out"], call["cached_tokens"]) == (100, 10, 40)
        assert run["cost_usd"] == pytest.approx((100 * 1 + 10 * 2) / 1e6)
        assert upstream.asked[0]["messages"][0]["content"] == "Weather in Rome?"


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Host": "evil.example"}, 403),
            ({"Host": "127.0.0.1.evil.example:80"}, 403),
            ({"Host": "localhost:1"}, 200),
            ({"Host": "[::1]:3000"}, 200),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
        ],
    )
    def test_only_pages_of_this_machine(self, playing, headers, status):
        assert playing.get("api/runs", headers=headers)[0] == status

    def test_a_form_of_another_site_runs_nothing(self, playing):
        headers = {"Content-Type": "text/plain"}
        assert playing.get("api/run", method="POST", body="{}", headers=headers)[0] == 415

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("", 200),
            ("index.html", 200),
            ("api.py", 404),
            ("../dev.py", 404),
            ("%2e%2e/dev.py", 404),
            ("..%2fdev.py", 404),
            ("/etc/passwd", 404),
            ("nothing.js", 404),
        ],
    )
    def test_only_the_pages_own_files(self, playing, path, status):
        connection = http.client.HTTPConnection("127.0.0.1", playing.served.port, timeout=20)
        connection.request("GET", f"/_playground/{path}")
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (status, True)
        if status == 200:
            assert "default-src 'self'" in response.headers["content-security-policy"]
            assert response.headers["x-content-type-options"] == "nosniff"
        connection.close()

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "api/nothing", 404),
            ("GET", "api/run", 405),
            ("POST", "api/runs", 405),
            ("GET", "api/runs/r99999", 404),
            ("GET", "api/runs/..%2f..%2fapp", 404),
        ],
    )
    def test_what_there_is_none_of_is_said(self, playing, method, path, status):
        headers = {"Content-Type": "application/json"} if method == "POST" else {}
        told = playing.get(path, method=method, headers=headers)
        assert told[0] == status
        assert told[1]["errorMessage"]

    @pytest.mark.parametrize("body", ["{", "[]", '{"kind": "x", "id": "y"}', '{"kind": "prompt"}'])
    def test_a_run_that_makes_no_sense_is_refused(self, playing, body):
        headers = {"Content-Type": "application/json"}
        assert playing.get("api/run", method="POST", body=body, headers=headers)[0] == 400


@pytest.fixture(scope="module")
def playing(tmp_path_factory):
    """One playground for all who only ask it."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "app.py").write_text("from lambdallm import handler\n\n@handler\ndef f(event, context):\n    return 1\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdallm", "dev", "--port", "0"], cwd=folder, env={**os.environ}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    served = Served(process)
    yield Playground(served)
    served.stop()


def definition(upstream):
    """A provider of the project's own, at the stub."""
    models = {"m": {"price": {"input": 1, "output": 2}}}
    return {"endpoint": upstream.address, "wire": "openai_chat", "auth": [{"type": "none"}], "models": models}


@pytest.fixture
def upstream():
    """A provider that wants a tool called, and remembers what it was asked."""
    answer = {
        "id": "1", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
            ]}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
                  "prompt_tokens_details": {"cached_tokens": 40}},
    }  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            server.asked_once.set()
            while server.silent:
                time.sleep(0.02)
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            with contextlib.suppress(OSError):
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.address = [], f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.silent, server.asked_once = False, threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
