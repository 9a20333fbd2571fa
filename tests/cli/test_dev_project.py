"""`lambdallm dev` for a whole project: several functions, its settings and files, its log for machines."""

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
SHOP = """
    import os
    from lambdallm import handler

    @handler
    def first(event, context):
        return f"first {event['rawPath']} {os.environ.get('NAME', '-')} {os.environ['AWS_LAMBDA_FUNCTION_NAME']}"

    @handler
    def second(event, context):
        return f"second {event['rawPath']}?{event['rawQueryString']}"
"""
SETTINGS = "from lambdallm import handler\n\n@handler\ndef f(e, c):\n    return c.settings.model\n"
PROMPTED = """
from lambdallm import Prompt, handler

prompt = Prompt.from_yaml("prompts/it.json")

@handler(model="echo")
def f(e, c):
    return prompt.invoke(c)
"""


class TestSeveralFunctions:
    def test_each_has_a_url_and_the_first_has_the_rest(self, serve, project):
        served = serve(project({"app.py": SHOP, "more.py": SHOP.replace("first", "third").replace("second", "fourth")}))
        assert served.get("/first/a") == (200, "first /a - first")
        assert served.get("/second/b/c?x=1") == (200, "second /b/c?x=1")
        assert served.get("/fourth") == (200, "fourth /?")
        assert served.get("/other") == (200, "first /other - first")
        for name in ("first", "second", "third", "fourth"):
            assert f"http://127.0.0.1:{served.port}/{name}/" in served.log

    def test_lambdas_api_knows_them_by_name(self, serve, project):
        served = serve(project({"app.py": SHOP}))
        place = "/2015-03-31/functions"
        listed = json.loads(served.get(place)[1])["Functions"]
        assert [function["FunctionName"] for function in listed] == ["first", "second"]
        event = json.dumps({"rawPath": "/x", "rawQueryString": ""})
        assert served.get(f"{place}/second/invocations", method="POST", body=event) == (200, '"second /x?"')
        assert served.get(f"{place}/third/invocations", method="POST", body=event)[0] == 404

    def test_one_may_be_chosen(self, serve, project):
        served = serve(project({"app.py": SHOP}), "app.py:second")
        assert served.get("/first") == (200, "second /first?")

    def test_functions_come_and_go_with_the_files(self, serve, project):
        folder = project({"app.py": SHOP})
        served = serve(folder)
        project({"more.py": "from lambdallm import handler\n@handler\ndef third(e, c): return 3"})
        assert served.get("/third/") == (200, "3")
        (folder / "more.py").unlink()
        assert served.get("/third/")[1].startswith("first /third/")


class TestAnImportThatHangs:
    CODE = "import time\nwhile True:\n    time.sleep(1)\n"

    def test_is_told_and_holds_nobody_up_once_it_is_mended(self, serve, project):
        served = serve(project({"app.py": SETTINGS}))
        project({"app.py": self.CODE + SETTINGS})
        served.wait_for("app.py changed")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(served.get()))
        asking.start()
        served.wait_for("f is still being loaded")
        project({"app.py": SETTINGS.replace("c.settings.model", "'mended'")})
        asking.join(8)
        assert answers == [(200, "mended")]


class TestAFileThatIsSaved:
    def test_counts_for_the_very_next_request(self, serve, project):
        """Files are looked at before each request: whoever saves and asks is never answered by the old code."""
        served = serve(project({"app.py": "def f(e, c): return 0"}), "app.f")
        for number in range(1, 6):
            project({"app.py": f"def f(e, c): return {number}"})
            assert served.get() == (200, str(number))

    @pytest.mark.parametrize(
        ("app", "name", "before", "after", "told"),
        [
            (SETTINGS, "lambdallm.json", '{"model": "echo"}', '{"model": "local"}', ("echo", "local")),
            (SETTINGS, ".env", "LAMBDALLM_MODEL=echo", "LAMBDALLM_MODEL=local", ("echo", "local")),
            (PROMPTED, "prompts/it.json", '{"template": "Old"}', '{"template": "New"}', ("Old", "New")),
        ],
    )
    def test_may_be_of_settings_variables_or_prompts(self, serve, project, app, name, before, after, told):
        served = serve(project({"app.py": app, name: before}))
        assert served.get() == (200, told[0])
        project({name: after})
        assert served.get() == (200, told[1])

    def test_while_it_is_broken_is_told_once_and_to_every_event(self, serve, project):
        served = serve(project({"app.py": SHOP}))
        project({"app.py": "1 / 0"})
        for _ in range(2):
            status, body = served.get()
            assert (status, json.loads(body)["errorType"]) == (502, "ZeroDivisionError")
        served.wait_for("can't be loaded")
        assert served.log.count("can't be loaded") == 1
        project({"app.py": SHOP})
        assert served.get("/second/x") == (200, "second /x?")


def test_the_quickstart_is_served_and_called(serve, tmp_path):
    """What a newcomer does first: both functions have a URL, and boto3 gets its answer."""
    folder = shutil.copytree(QUICKSTART, tmp_path / "quickstart", ignore=shutil.ignore_patterns(".lambdallm"))
    served = serve(folder, "--model", "echo")
    address = f"http://127.0.0.1:{served.port}"
    assert (f"{address}/sentiment/" in served.log, f"{address}/summary/" in served.log) == (True, True)
    ask = runpy.run_path(str(folder / "call.py"))["sentiment"]
    assert ask("It shines!", address) == {"sentiment": "positive"}
    status, body = served.get("/summary/", method="POST", body=b'{"text": "x"}')
    assert (status, json.loads(body)["errorType"]) == (500, "KeyError")


class TestTheFunctionsWorld:
    def test_is_lambdas(self, serve, project):
        app = """
            import os
            from lambdallm import handler

            @handler
            def f(event, context):
                try:
                    open("new.txt", "w")
                    wrote = True
                except OSError:
                    wrote = False
                return {
                    "folder": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"], "wrote": wrote,
                    "memory": context.memory_limit_in_mb, "zone": os.environ["TZ"],
                    "key": os.environ.get("OPENAI_API_KEY"), "context": context.client_context,
                }
        """
        served = serve(project({"app.py": app}), "--memory", "512", env={"OPENAI_API_KEY": "from the shell"})
        told = json.loads(served.get()[1])
        assert told.pop("wrote") in (False, True)  # true where the kernel gives no namespaces
        assert told == {"folder": True, "memory": "512", "zone": ":UTC", "key": "from the shell", "context": None}

    def test_nothing_of_it_is_left_behind(self, serve, project):
        served = serve(project({"app.py": "import os\ndef f(e, c): return [os.getpid(), os.getppid()]"}), "app.f")
        ids = json.loads(served.get()[1])
        served.process.send_signal(signal.SIGKILL)
        served.process.wait(10)
        until = time.monotonic() + 5
        while any(map(alive, ids)):
            assert time.monotonic() < until
            time.sleep(0.02)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX" and pid != os.getpid()
    except FileNotFoundError:
        return False


class TestTheLog:
    def test_has_a_functions_lines_below_its_own(self, serve, project):
        app = """
            import logging
            from lambdallm import handler

            @handler
            def f(event, context):
                print("printed")
                logging.getLogger().warning("logged")
                return "it"
        """
        served = serve(project({"app.py": app}))
        served.get("/it")
        served.wait_for("GET /it  200  .*\n  printed\n  WARNING logged\n")

    def test_shows_the_lines_of_a_long_one_as_they_come(self, serve, project):
        app = """
            import os, time

            def f(event, context):
                print("waiting")
                while not os.path.exists("gate"):
                    time.sleep(0.01)
        """
        served = serve(project({"app.py": app}), "app.f")
        with served.open("POST", "/2015-03-31/functions/f/invocations", "{}", {"X-Amz-Invocation-Type": "Event"}):
            pass
        served.wait_for("event for f  running\n  waiting\n")
        project({"gate": ""})
        served.wait_for(r"event for f  \d+ ms")

    def test_for_machines_is_json(self, serve, project):
        served = serve(project({"app.py": "def f(e, c):\n    print('printed')\n    return 1 / 0"}), "app.f", "--json")
        served.get("/it")
        served.wait_for('"event": "invocation"')
        records = [json.loads(line) for line in served.log.splitlines()]
        ready = next(record for record in records if record["event"] == "ready")
        assert ready["functions"] == {"f": f"http://127.0.0.1:{served.port}/"}
        printed = next(record for record in records if record["event"] == "log")
        assert (printed["message"], printed["function"]) == ("printed", "f")
        ended = records[-1]
        assert (ended["what"], ended["status"], ended["error"]) == ("GET /it", 502, "ZeroDivisionError")
        assert "line 3, in f" in ended["failure"]["frames"]
        assert ended["request_id"] == printed["request_id"]

    def test_shows_any_letter_on_any_terminal(self, serve, project):
        served = serve(project({"app.py": "def f(e, c): print('\\u00e9')"}), "app.f", env={"PYTHONIOENCODING": "ascii"})
        served.get("/it")
        served.wait_for(r"GET /it  200  .*\n  \\xe9\n")
        assert served.get("/again")[0] == 200

    def test_whose_reader_leaves_ends_the_command(self, environ, project):
        command = [sys.executable, "-m", "lambdallm", "dev", "--port", "0"]
        with subprocess.Popen(command, cwd=project({"app.py": SHOP}), env=environ, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            project({"app.py": SHOP + "\n# saved"})
            assert process.wait(20) == 141

    def test_into_a_file_of_the_project_is_no_change_of_it(self, environ, project):
        folder = project({"app.py": SHOP})
        with open(folder / "log.txt", "w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lambdallm", "dev", "--port", "0"], cwd=folder, env=environ, stdout=log
            )
            until = time.monotonic() + 20
            while "Reloads as you save" not in (folder / "log.txt").read_text():
                assert time.monotonic() < until
                time.sleep(0.02)
            project({"app.py": SHOP + "\n# saved"})
            while "app.py changed" not in (folder / "log.txt").read_text():
                assert time.monotonic() < until
                time.sleep(0.02)
            process.terminate()
            assert process.wait(10) == 0
        assert "log.txt changed" not in (folder / "log.txt").read_text()
