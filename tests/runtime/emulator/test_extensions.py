"""Extensions inside a function's process: what they hear, and what waits for them."""

import json

from emulated import emulated

EXTENDED = """
import signal, threading

EXTENSION = "/2020-01-01/extension"

def register(name="ours", events=("INVOKE",)):
    headers = {"Lambda-Extension-Name": name}
    return ask("POST", "/register", json.dumps({"events": events}), headers, root=EXTENSION)

def listen(identifier, heard):
    while True:
        asked = ask("GET", "/event/next", None, {"Lambda-Extension-Identifier": identifier}, root=EXTENSION)
        heard(asked.event)

def extend(heard, **options):
    registered = register(**options)
    arguments = (registered.headers["Lambda-Extension-Identifier"], heard)
    threading.Thread(target=listen, args=arguments, daemon=True).start()
    return registered
"""


def test_an_extension_hears_of_each_invocation_and_is_waited_for(tmp_path):
    program = (
        EXTENDED
        + """
def heard(event):
    time.sleep(0.05)
    print("heard", json.dumps(event), flush=True)

registered = extend(heard)
serve(lambda event: registered.event)
"""
    )
    with emulated(tmp_path, program) as emulator:
        answer = emulator.invoke("app", b"{}")
        body = json.loads(answer.read())
        told = [json.loads(line.removeprefix("heard ")) for line in answer.lines if line.startswith("heard")]
        assert emulator.invoke("app", b"{}").read()
    assert body == {"functionName": "app", "functionVersion": "$LATEST", "handler": "app.lambda_handler"}
    assert len(told) == 1
    assert told[0]["eventType"] == "INVOKE"
    assert told[0]["requestId"] == answer.request_id
    assert told[0]["invokedFunctionArn"].endswith(":app")
    assert answer.lines[-1].startswith("REPORT")


def test_a_process_with_an_extension_hears_sigterm(tmp_path):
    program = (
        EXTENDED
        + """
signal.signal(signal.SIGTERM, lambda *_: (print("flushed", flush=True), os._exit(0)))
extend(print, events=())
threading.Thread(target=serve, args=(lambda event: None,), daemon=True).start()
while True: time.sleep(60)
"""
    )
    with emulated(tmp_path, program) as emulator:
        assert emulator.invoke("app", b"{}").read() == b"null"
        heard = emulator.heard
    assert heard[-1] == "flushed"


def test_what_is_refused(tmp_path):
    program = (
        EXTENDED
        + """
next_event = lambda headers: ask("GET", "/event/next", None, headers, root=EXTENSION)
refused = [
    register(name=""), register(events=("SHUTDOWN",)),
    ask("POST", "/register", "no JSON", {"Lambda-Extension-Name": "x"}, root=EXTENSION),
    next_event({}), next_event({"Lambda-Extension-Identifier": "x"}),
    next_event({"Lambda-Extension-Identifier": "8476a536-e9f4-11e8-9739-2dfe598c3fcd"}),
]
extend(print)
refused += [register(), ask("GET", "/nonsense", root=EXTENSION)]
serve(lambda event: [[r.status, r.body.decode()[:200]] for r in refused])
"""
    )
    with emulated(tmp_path, program) as emulator:
        refused = json.loads(emulator.invoke("app", b"{}").read())
    assert [status for status, _ in refused] == [403, 403, 403, 403, 403, 403, 403, 404]
    assert [json.loads(body)["errorType"] for _, body in refused[:-1]] == [
        "Extension.InvalidExtensionName",
        "Extension.InvalidEventType",
        "InvalidRequestFormat",
        "Extension.MissingExtensionIdentifier",
        "Extension.InvalidExtensionIdentifier",
        "Extension.UnknownExtensionIdentifier",
        "Extension.InvalidExtensionState",
    ]
