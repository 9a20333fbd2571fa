"""The same raw requests to our Runtime API and to AWS's own emulator: the same answers, byte for byte."""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

from emulated import emulated, function
from servers import free_port, lambda_tools, running

ASKING = """
OTHER = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
EXTENSION, NAMED = "/2020-01-01/extension", {"Lambda-Extension-Name": "ours"}
heard = []

def note(what, asked):
    kept = {name: asked.headers[name] for name in ("Content-Type", "Allow") if name in asked.headers}
    heard.append([what, asked.status, kept, asked.body.decode()[:300]])

def outcome(asked, kind):
    return f"/invocation/{asked.id}/{kind}"

note("a response before there is an invocation", ask("POST", "/invocation/abc/response", b"{}"))
note("an error before there is an invocation", ask("POST", "/invocation/abc/error", b"{}"))
note("a path that nobody knows", ask("GET", "/nonsense"))
note("a method that a path does not take", ask("POST", "/invocation/next"))
note("a restore where there is no snapshot", ask("GET", "/restore/next"))
note("an extension without a name", ask("POST", "/register", b'{"events": []}', root=EXTENSION))
note("one that wants what it can't", ask("POST", "/register", b'{"events": ["SHUTDOWN"]}', NAMED, root=EXTENSION))
note("one that is not known", ask("GET", "/event/next", None, {"Lambda-Extension-Identifier": OTHER}, root=EXTENSION))
note("one that says nothing of itself", ask("GET", "/event/next", root=EXTENSION))
note("one that says nonsense", ask("GET", "/event/next", None, {"Lambda-Extension-Identifier": "x"}, root=EXTENSION))
note("a ping", ask("GET", "/ping", root="/2018-06-01"))

asked = next()
note("an invocation", asked)
note("the same again", next())
note("the response to another", ask("POST", f"/invocation/{OTHER}/response", b"{}"))
note("the error of another", ask("POST", f"/invocation/{OTHER}/error", b"{}"))
note("a start that fails too late", ask("POST", "/init/error", b"{}"))
note("a response", respond(asked, "the first"))
note("a second response", respond(asked, 2))
note("an error after a response", ask("POST", outcome(asked, "error"), b"{}"))

asked = next()
note("an error", ask("POST", outcome(asked, "error"), b'{"errorType": "E", "errorMessage": "m"}'))
note("a second error", ask("POST", outcome(asked, "error"), b"{}"))
note("a response after an error", respond(asked, 2))

asked = next()
note("a response that is no JSON", ask("POST", outcome(asked, "response"), b"this is not JSON"))

asked = next()
note("a response that is too large", ask("POST", outcome(asked, "response"), b"x" * 6_291_557))

asked = next()
chunks = stream(asked)
chunks.send(b"one ")
chunks.send(b"two")
note("a streamed response", chunks.end())

asked = next()
respond(asked, heard)

asked = next()
os._exit(3)
"""
INVOCATIONS = 7


@contextmanager
def aws(folder):
    """AWS's emulator with the same function; gives what invokes it."""
    made = function(folder, ASKING)
    port, api = free_port(), free_port()
    addresses = [
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{port}",
        "--runtime-api-address",
        f"127.0.0.1:{api}",
    ]
    command = [str(lambda_tools().emulator), *addresses, *made.command]
    with running(command, port, folder):
        yield lambda: _posted(f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations")


def _posted(url):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b'{"n": 1}'), timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.read()


def _asked(invoke):
    """What the function's requests were answered with, and what its invocations were."""
    answers = [invoke() for _ in range(INVOCATIONS)]
    return json.loads(answers.pop(5)), answers


def test_our_runtime_api_answers_as_awss_own(tmp_path):
    (tmp_path / "aws").mkdir()
    (tmp_path / "ours").mkdir()
    with aws(tmp_path / "aws") as invoke:
        theirs, their_answers = _asked(invoke)
    with emulated(tmp_path / "ours", ASKING) as emulator:
        ours, our_answers = _asked(lambda: emulator.invoke("app", b'{"n": 1}').read())
    assert [line[0] for line in ours] == [line[0] for line in theirs]
    for our, their in zip(ours, theirs, strict=True):
        assert our == their
    their_loss, our_loss = json.loads(their_answers.pop()), json.loads(our_answers.pop())
    assert our_loss["errorType"] == their_loss["errorType"] == "Runtime.ExitError"
    assert our_loss["errorMessage"][len("RequestId: ") + 36 :] == their_loss["errorMessage"][len("RequestId: ") + 36 :]
    # Where a response is too large, AWS's emulator says how large it was; Lambda itself does not.
    assert json.loads(our_answers[3])["errorType"] == json.loads(their_answers[3])["errorType"]
    assert our_answers[:3] + our_answers[4:] == their_answers[:3] + their_answers[4:]
