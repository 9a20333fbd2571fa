"""One function file under AWS's client and under ours: the same requests to the Runtime API, the same log."""

import json
import os
import re

import pytest

import servers
from runtime_api import OURS, function, runtime_api

THEIRS = (OURS[0], "-m", "awslambdaric")


def told(folder, runtime, source, events, handler="app.lambda_handler", **environ):
    """What the API hears from a function, and what it prints until the last answer."""
    folder = folder / runtime
    folder.mkdir(exist_ok=True)
    environ = {"PYTHONPATH": str(servers.lambda_tools().awslambdaric)} | environ
    command = OURS if runtime == "ours" else THEIRS
    with runtime_api() as api, function(api, folder, source, handler, command, **environ) as process:
        if not events:
            request = api.wait_for("/init/error")[0]
            assert process.wait() == 1
            return [as_told(request)], as_logged(process.output(), folder)
        requests = [api.invoke(event, **headers).answer() for event, headers in events]
        return [as_told(request) for request in requests], as_logged(process.output(), folder)


def as_told(request):
    """A request without what differs: the client's name, the folder, and headers that AWS's client leaves out."""
    headers = {name: value for name, value in request.headers.items() if name.startswith("lambda-runtime-")}
    if not request.path.endswith("init/error"):
        headers.pop("lambda-runtime-function-error-type", None)
    if cause := headers.pop("lambda-runtime-function-xray-error-cause", None):
        cause = json.loads(re.sub(r"/ours\b|/theirs\b", "", cause))
    body = json.loads(re.sub(r"/ours\b|/theirs\b", "", request.body.decode()))
    return request.path, headers, cause, body


def as_logged(output, folder):
    """A log without times, the folder, and AWS's advice on failed starts."""
    output = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d\d\dZ|Z)", "TIME", output.replace(str(folder), ""))
    return "".join(line for line in output.splitlines(keepends=True) if "LAMBDA_WARNING" not in line)


def same(folder, *arguments, **environ):
    ours, theirs = (told(folder, runtime, *arguments, **environ) for runtime in ("ours", "theirs"))
    assert ours[0] == theirs[0]
    return ours, theirs


ANSWERS = """
import decimal, os
calls = []

def lambda_handler(event, context):
    calls.append(event)
    print("got", event)
    context.log("as it is\\n")
    return {"event": event, "calls": len(calls), "id": context.aws_request_id, "price": decimal.Decimal("1.10"),
            "trace": os.environ.get("_X_AMZN_TRACE_ID"), "name": context.function_name,
            "left": context.get_remaining_time_in_millis() > 0}
"""


def test_answers_and_what_is_printed(tmp_path):
    events = [({"a": 1}, {"trace_id": "Root=1"}), ("é", {}), (None, {"invocation_id": "i-3"})]
    ours, theirs = same(tmp_path, ANSWERS, events)
    assert ours[1] == theirs[1] != ""


RAISES = """
class Odd(Exception): ...

def inner(word):
    raise Odd(f"{word} é\\n  second line") from KeyError("cause")

def lambda_handler(event, context):
    if event == "recursion":
        return lambda_handler(event, context)
    if event == "type":
        return object()
    inner(event)
"""


@pytest.mark.parametrize("event", ["word", "", "type"])
def test_errors_with_their_stack_traces_and_causes(tmp_path, event):
    ours, theirs = same(tmp_path, RAISES, [(event, {}), ("again", {})])
    assert ours[1] == theirs[1] != ""


def test_an_event_that_is_not_json(tmp_path):
    ours, theirs = (told(tmp_path, each, ANSWERS, [(b"{", {}), ({}, {})]) for each in ("ours", "theirs"))
    assert [request[0] for request in ours[0]] == [request[0] for request in theirs[0]]
    types = [request[3].get("errorType") for request in ours[0]]
    assert types == [request[3].get("errorType") for request in theirs[0]] == ["Runtime.UnmarshalError", None]


@pytest.mark.parametrize(
    ("source", "handler"),
    [
        ("", "app.lambda_handler"),
        ("", "lambda_handler"),
        ("", "sys.exit"),
        ("raise ValueError('at import')", "app.lambda_handler"),
        ("def f(:", "app.lambda_handler"),
    ],
    ids=["no function", "no module", "built in", "raises", "syntax"],
)
def test_what_can_not_be_loaded(tmp_path, source, handler):
    ours, theirs = (told(tmp_path, each, source, [], handler) for each in ("ours", "theirs"))
    for mine, other in zip(ours[0], theirs[0], strict=True):
        without_stack = {**mine[3], "stackTrace": []}, {**other[3], "stackTrace": []}
        assert (mine[:3], without_stack[0]) == (other[:3], without_stack[1])
    assert ours[1].split("Traceback")[0] == theirs[1].split("Traceback")[0]


def test_a_module_that_is_missing_is_told_with_the_way_to_it(tmp_path):
    """AWS's client says which module is missing, but not who wanted it."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "wanting.py").write_text("import nowhere")
    request = told(tmp_path, "ours", "import wanting", [])[0][0]
    assert request[3]["errorMessage"] == "Unable to import module 'app': No module named 'nowhere'"
    assert "wanting.py" in "".join(request[3]["stackTrace"])


def test_a_handler_in_a_folder_is_named_with_dots_or_slashes(tmp_path):
    for runtime in ("ours", "theirs"):
        (tmp_path / runtime / "deep" / "er").mkdir(parents=True)
        (tmp_path / runtime / "deep" / "er" / "fn.py").write_text("def run(event, context): return __name__")
    for handler in ("deep.er.fn.run", "deep/er/fn.run"):
        ours, _ = same(tmp_path, "", [({}, {})], handler)
        assert ours[0][0][3] == "deep.er.fn"


LOGS = """
import logging, sys
logger = logging.getLogger("mine")
logger.warning("at import")

def lambda_handler(event, context):
    logging.getLogger().info("root info")
    logger.debug("debug")
    logger.warning("with %s and é", "arguments", extra={"order": 7, "odd": object})
    logger.error({"a": "dictionary"})
    logger.log(25, "between")
    logger.critical("several\\nlines")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("failed")
    raise ValueError("end")
"""


def records(log):
    """A JSON log as objects; a text log as it is."""
    return [json.loads(line) if line.startswith("{") else line for line in log.splitlines()]


@pytest.mark.parametrize("format", ["Text", "JSON"])
@pytest.mark.parametrize("level", ["", "DEBUG", "TRACE", "info", "ERROR"])
def test_the_log_of_logging(tmp_path, format, level):
    environ = {"AWS_LAMBDA_LOG_FORMAT": format} | ({"AWS_LAMBDA_LOG_LEVEL": level} if level else {})
    ours, theirs = same(tmp_path, LOGS, [({}, {"aws_tenant_id": "blue"})], **environ)
    assert records(ours[1]) == records(theirs[1]) != []


def framed(folder, runtime, source, **environ):
    """The frames a function writes to the descriptor that Lambda names: their types and texts."""
    folder = folder / runtime
    folder.mkdir(exist_ok=True)
    read, write = os.pipe()
    environ |= {"PYTHONPATH": str(servers.lambda_tools().awslambdaric), "_LAMBDA_TELEMETRY_LOG_FD": str(write)}
    command = OURS if runtime == "ours" else THEIRS
    with runtime_api() as api, function(api, folder, source, command=command, pass_fds=(write,), **environ) as process:
        api.invoke({}).answer()
        os.close(write)
        process.kill_now()
    data, frames = b"", []
    while piece := os.read(read, 65536):
        data += piece
    os.close(read)
    while data:
        length = int.from_bytes(data[4:8], "big")
        assert int.from_bytes(data[8:16], "big") > 1_700_000_000_000_000, "microseconds"
        frames.append((data[:4].hex(), as_logged(data[16 : 16 + length].decode(), folder)))
        data = data[16 + length :]
    return frames


@pytest.mark.parametrize("environ", [{}, {"AWS_LAMBDA_LOG_LEVEL": "DEBUG"}, {"AWS_LAMBDA_LOG_FORMAT": "JSON"}], ids=str)
def test_the_frames_of_a_log_descriptor(tmp_path, environ):
    ours, theirs = (framed(tmp_path, runtime, LOGS, **environ) for runtime in ("ours", "theirs"))
    theirs = [frame for frame in theirs if frame[1]]
    assert [frame[0] for frame in ours] == [frame[0] for frame in theirs]
    assert [records(frame[1]) for frame in ours] == [records(frame[1]) for frame in theirs]
    assert len(ours) > 4
