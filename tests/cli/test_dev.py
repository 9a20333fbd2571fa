"""`lambdallm dev` over real loopback HTTP, in processes of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

VERSION = """
    from lambdallm import handler

    @handler(model="echo")
    def lambda_handler(event, context):
        return "version {}"
"""
EVENT = """
    from lambdallm import handler

    @handler
    def lambda_handler(event, context):
        print("told to the terminal")
        return event
"""
GATED = """
    import os, time
    from lambdallm import handler

    @handler
    def lambda_handler(event, context):
        if event.get("rawPath") == "/quick":
            return "version 1"
        return slowly()

    def slowly():
        yield "one "
        while not os.path.exists("gate"):
            time.sleep(0.01)
        yield "two"
"""
RAW = "/2015-03-31/functions/function/invocations"


def until(served, expected, seconds=5):
    """Ask until the answer is the expected one; the seconds it took."""
    begun = time.monotonic()
    while (answer := served.get()) != expected:
        assert time.monotonic() - begun < seconds, f"{answer!r} after {seconds} s:\n{served.log}"
        time.sleep(0.02)
    return time.monotonic() - begun


class TestRequests:
    def test_become_function_url_events_and_results_responses(self, serve, project):
        served = serve(project({"app.py": EVENT}))
        body = b'{"n": 1}'
        headers = {"Content-Type": "application/json", "Cookie": "a=b", "X-Own": "1"}
        with served.open("PUT", "/path?x=1&x=2", body, headers) as response:
            event = json.load(response)
            assert response.headers["content-type"] == "application/json"
        assert event["requestContext"]["http"]["method"] == "PUT"
        assert event["rawPath"] == "/path"
        assert event["queryStringParameters"] == {"x": "1,2"}
        assert event["cookies"] == ["a=b"]
        assert event["headers"]["x-own"] == "1"
        assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)

    def test_bytes_go_through_in_base64(self, serve, project):
        app = """
            def lambda_handler(event, context):
                headers = {"content-type": "image/png"}
                return {"statusCode": 200, "headers": headers, "body": event["body"], "isBase64Encoded": True}
        """
        served = serve(project({"app.py": app}), "app.lambda_handler")
        with served.open("POST", body=b"\x89PNG\x00", headers={"Content-Type": "image/png"}) as response:
            assert response.read() == b"\x89PNG\x00"
            assert response.headers["content-type"] == "image/png"

    def test_what_the_function_prints_reaches_the_terminal(self, serve, project):
        served = serve(project({"app.py": EVENT}))
        served.get()
        served.wait_for("told to the terminal")

    def test_a_connection_is_kept_for_the_next_request(self, serve, project):
        served = serve(project({"app.py": VERSION}))
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"version {}"
        connection.request("HEAD", "/")
        response = connection.getresponse()
        assert (response.read(), response.headers["content-length"]) == (b"", "10")
        connection.close()

    def test_a_form_that_fails_is_explained(self, serve, project):
        """`curl -d` sends a form unless told otherwise, and Lambda hands its body over in base64."""
        served = serve(
            project({"app.py": "import json\ndef f(event, context):\n    json.loads(event['body'])"}), "app.f"
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert served.get(method="POST", body=b"{}", headers=headers)[0] == 502
        served.wait_for("the body came in base64, as on Lambda")

    def test_another_model_in_the_place_of_the_handlers(self, serve, project):
        app = VERSION.replace('"echo"', '"openai/gpt-4o"').replace('"version {}"', 'context.invoke("Hi")')
        assert serve(project({"app.py": app}), "--model", "echo").get() == (200, "Hi")

    def test_too_much_is_refused_as_lambda_does(self, serve, project):
        served = serve(project({"app.py": EVENT}))
        assert served.get(method="POST", body=b"x" * 7 * 1024 * 1024)[0] == 413

    @pytest.mark.parametrize("kind", ["def", "async def"])
    def test_a_stream_tells_its_sessions_id(self, serve, project, kind):
        a, body = ("", "return pieces") if kind == "def" else ("a", "async for piece in pieces:\n        yield piece")
        app = f"""
from lambdallm import Session, handler
@handler(model="echo", session=Session(store="memory"))
{kind} f(event, context):
    pieces = context.{a}stream("Hi", session=True).texts()
    {body}
"""
        with serve(project({"app.py": app})).open("GET", "/") as response:
            assert (response.read(), len(response.headers["x-session-id"])) == (b"Hi", 24)

    def test_a_response_lambda_could_not_send_says_why(self, serve, project):
        served = serve(project({"app.py": "def f(event, context):\n    return {'statusCode': 'ok'}"}), "app.f")
        status, body = served.get()
        assert status == 502
        assert "statusCode is 'ok'" in body

    def test_the_log_has_a_line_with_time_tokens_cost_and_the_cold_start(self, serve, project):
        app = """
            from lambdallm import handler

            @handler(model="echo")
            def lambda_handler(event, context):
                return context.stream("Say hello")
        """
        served = serve(project({"app.py": app}))
        assert served.get("/hi") == (200, "Say hello")
        served.wait_for(r"GET /hi  200  \d+ ms · 2 in \+ 2 out tokens · \$0 · first byte \d+ ms · cold start \d+ ms\n")
        served.get("/again")
        served.wait_for(r"GET /again  200  .* · first byte \d+ ms\n")


class TestStreams:
    def test_the_first_piece_arrives_before_the_last_is_made(self, serve, project):
        folder = project({"app.py": GATED})
        gate, served = folder / "gate", serve(folder)
        with served.open() as response:
            assert response.headers["content-type"] == "text/plain; charset=utf-8"
            assert response.headers["transfer-encoding"] == "chunked"
            assert response.read(4) == b"one "
            gate.touch()
            assert response.read() == b"two"

    def test_as_server_sent_events_for_who_asks(self, serve, project):
        served = serve(project({"app.py": GATED, "gate": ""}))
        with served.open(headers={"Accept": "text/event-stream"}) as response:
            assert response.headers["content-type"] == "text/event-stream"
            pieces = response.read().decode().split("\n\n")
        assert pieces[:2] == ['data: {"text":"one "}', 'data: {"text":"two"}']
        assert pieces[2].startswith("event: done\n")

    def test_one_that_fails_is_cut_off(self, serve, project):
        app = """
            from lambdallm import handler

            @handler
            def lambda_handler(event, context):
                yield "one"
                raise ValueError("no more")
        """
        served = serve(project({"app.py": app}))
        with served.open() as response, pytest.raises(http.client.IncompleteRead) as cut:
            response.read()
        assert cut.value.partial == b"one"
        with (
            served.open(headers={"Accept": "text/event-stream"}) as response,
            pytest.raises(http.client.IncompleteRead) as cut,
        ):
            response.read()
        assert b"event: error\n" in cut.value.partial
        served.wait_for("line 6, in lambda_handler")

    def test_a_client_that_leaves_does_not_stop_the_server(self, serve, project):
        folder = project({"app.py": GATED})
        gate, served = folder / "gate", serve(folder)
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(10)
        gate.touch()
        assert served.get("/quick") == (200, "version 1")
        assert "Traceback" not in served.log

    def test_http_1_0_reads_to_the_end_of_the_connection(self, serve, project):
        served = serve(project({"app.py": GATED, "gate": ""}))
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            received = b"".join(iter(lambda: client.recv(1000), b""))
        assert received.endswith(b"\r\n\r\none two")


class TestInvokeOperation:
    def test_takes_the_event_as_it_is(self, serve, project):
        served = serve(project({"app.py": EVENT}))
        assert served.get(RAW, method="POST", body='{"n": 1}') == (200, '{"n": 1}')

    def test_joins_a_stream(self, serve, project):
        served = serve(project({"app.py": GATED, "gate": ""}))
        assert served.get(RAW, method="POST", body="{}") == (200, '"one two"')

    @pytest.mark.parametrize(("kind", "status", "runs"), [("Event", 202, True), ("DryRun", 204, False)])
    def test_invocation_types(self, serve, project, kind, status, runs):
        served = serve(project({"app.py": EVENT}))
        assert served.get(RAW, method="POST", body="{}", headers={"X-Amz-Invocation-Type": kind}) == (status, "")
        served.wait_for(f"POST {RAW}  {status}")
        if runs:
            served.wait_for("event for lambda_handler  \\d+ ms.*\n  told to the terminal")
        assert ("told to the terminal" in served.log) is runs

    def test_reports_an_error_of_the_function(self, serve, project):
        served = serve(project({"app.py": "def f(event, context):\n    return 1 / 0"}), "app.f")
        with served.open("POST", RAW, "{}") as response:
            assert (response.status, response.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
            error = json.load(response)
        assert error["errorType"] == "ZeroDivisionError"
        (frame,) = error["stackTrace"]
        assert frame.endswith('app.py", line 2, in f\n    return 1 / 0\n')

    def test_refuses_what_is_no_json(self, serve, project):
        served = serve(project({"app.py": EVENT}))
        status, body = served.get(RAW, method="POST", body="{")
        assert (status, json.loads(body)["Type"]) == (400, "User")

    def test_speaks_with_boto3(self, serve, project):
        import boto3

        served = serve(project({"app.py": EVENT}))
        client = boto3.client(
            "lambda",
            region_name="eu-west-1",
            endpoint_url=f"http://127.0.0.1:{served.port}",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        answer = client.invoke(FunctionName="function", Payload=b'{"n": 1}')
        assert json.load(answer["Payload"]) == {"n": 1}
        client.close()


class TestReload:
    def test_a_save_is_served_within_seconds(self, serve, project):
        """Under a second on an idle machine; the bound leaves room for a busy one."""
        served = serve(project({"app.py": VERSION.format(1)}))
        assert served.get() == (200, "version 1")
        project({"app.py": VERSION.format(2)})
        until(served, (200, "version 2"))
        served.wait_for("app.py changed")

    def test_saves_in_the_same_second_are_told_apart(self, serve, project):
        served = serve(project({"app.py": VERSION.format(1)}))
        for number in (2, 3, 4):
            project({"app.py": VERSION.format(number)})
            until(served, (200, f"version {number}"))

    def test_a_module_beside_it_counts_too(self, serve, project):
        app = "from lambdallm import handler\nimport words\n\n@handler\ndef f(event, context):\n    return words.TEXT"
        served = serve(project({"app.py": app, "words.py": "TEXT = 'a'"}))
        assert served.get() == (200, "a")
        project({"words.py": "TEXT = 'b'"})
        until(served, (200, "b"))

    def test_the_old_code_finishes_what_it_has_begun(self, serve, project):
        folder = project({"app.py": GATED})
        gate, served = folder / "gate", serve(folder)
        with served.open() as response:
            assert response.read(4) == b"one "
            project({"app.py": GATED.replace("version 1", "version 2")})
            served.wait_for("changed(.|\n)*is loaded")
            assert served.get("/quick") == (200, "version 2")
            gate.touch()
            assert response.read() == b"two"

    def test_a_syntax_error_is_told_and_survived(self, serve, project):
        served = serve(project({"app.py": VERSION.format(1)}))
        project({"app.py": "def (:"})
        served.wait_for("can't be loaded")
        status, body = served.get()
        assert status == 502
        assert json.loads(body)["errorType"] == "SyntaxError"
        assert json.loads(body)["errorMessage"].startswith("app.py, line 1: invalid syntax")
        assert "error: app.py, line 1: SyntaxError" in served.log
        project({"app.py": VERSION.format(2)})
        until(served, (200, "version 2"))

    def test_it_starts_with_broken_code_and_waits_for_a_correction(self, serve, project):
        served = serve(project({"app.py": "import nowhere_at_all"}))
        assert served.get()[0] == 502
        project({"app.py": VERSION.format(2)})
        until(served, (200, "version 2"))

    def test_code_without_a_handler_is_told(self, serve, project):
        served = serve(project({"app.py": VERSION.format(1)}))
        project({"app.py": "x = 1"})
        served.wait_for("error: app.py has no function with @handler")
        assert "no function with @handler" in served.get()[1]
        project({"app.py": VERSION.format(2)})
        until(served, (200, "version 2"))


class TestTrouble:
    def test_an_error_shows_the_authors_lines_and_the_server_goes_on(self, serve, project):
        app = """
            from lambdallm import handler

            @handler
            def lambda_handler(event, context):
                return {"/": "fine"}[event["rawPath"]]
        """
        served = serve(project({"app.py": app}))
        status, body = served.get("/wrong")
        assert (status, json.loads(body)["errorType"]) == (500, "KeyError")
        served.wait_for(r"GET /wrong  500  .* · KeyError\n")
        served.wait_for(r"line 5, in lambda_handler(.|\n)*  error: KeyError: '/wrong'")
        assert "core/handler.py" not in served.log
        assert served.get() == (200, "fine")

    def test_a_missing_key_is_a_line_without_a_traceback(self, serve, project):
        app = VERSION.replace('"echo"', '"openai/gpt-4o"').replace('"version {}"', 'context.invoke("Hi")')
        served = serve(project({"app.py": app}))
        status, body = served.get()
        assert status == 500
        assert "Set OPENAI_API_KEY" in json.loads(body)["errorMessage"]
        served.wait_for("error: app.py, line 5: No API key for OpenAI")
        assert "Traceback" not in served.log

    def test_a_failure_has_the_status_it_has_when_deployed(self, serve, project):
        app = VERSION.replace('"version {}"', 'context.invoke("Hi")')
        status, body = serve(project({"app.py": app}), "--timeout", "4").get()
        assert (status, json.loads(body)["errorType"]) == (504, "DeadlineExceededError")

    def test_a_function_over_its_limit_is_stopped(self, serve, project):
        app = "import time\ndef f(event, context):\n    time.sleep(30 if event['rawPath'] == '/slow' else 0)"
        served = serve(project({"app.py": app}), "app.f", "--timeout", "1")
        status, body = served.get("/slow")
        assert status == 504
        assert "Task timed out after 1.00 seconds" in body
        assert served.get() == (200, "null")

    def test_a_process_that_dies_is_replaced(self, serve, project):
        app = "import os\ndef f(event, context):\n    event['rawPath'] == '/die' and os._exit(3)"
        served = serve(project({"app.py": app}), "app.f")
        status, body = served.get("/die")
        assert (status, json.loads(body)["errorType"]) == (502, "Runtime.ExitError")
        assert served.get() == (200, "null")

    def test_events_wait_for_their_turn(self, serve, project):
        """One environment, one event at a time: the second is answered when the first has been."""
        folder = project({"app.py": GATED})
        gate, served = folder / "gate", serve(folder)
        answers = []
        with served.open() as response:
            response.read(4)
            waiting = threading.Thread(target=lambda: answers.append(served.get("/quick")))
            waiting.start()
            gate.touch()
            response.read()
        waiting.join(20)
        assert answers == [(200, "version 1")]

    def test_a_taken_port_names_a_free_one(self, cli, project):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            told = cli("dev", "--port", str(port), cwd=project({"app.py": VERSION}))
        assert told.returncode == 2
        assert f"error: Port {port} can't be used" in told.stderr
        assert "Run: lambdallm dev --port " in told.stderr

    def test_ctrl_c_stops_it_while_the_code_is_loaded(self, environ, project):
        """A module that waits for something at its import keeps nobody waiting."""
        folder = project({"app.py": "import time\nprint('loading', flush=True)\ntime.sleep(60)"})
        command = [sys.executable, "-m", "lambdallm", "dev", "--port", "0"]
        with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
            assert "loading" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0

    def test_ctrl_c_stops_it_and_its_worker(self, serve, project):
        served = serve(project({"app.py": "import os; print('pid', os.getpid())\n" + textwrap.dedent(VERSION)}))
        worker = int(served.wait_for(r"pid (\d+)").group(1))
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(10) == 0
        served.wait_for("Stopped.")
        assert "Traceback" not in served.log
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
