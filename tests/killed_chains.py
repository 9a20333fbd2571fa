"""Processes that run a chain and kill themselves (SIGKILL) at an effect; others, later, go on.

Every effect of the chain is such a place. Each process is a fork of this one, which has opened nothing, and tells what
it does in a file. Prints, as JSON, for each cut what was told, and what the process that went on gave.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from chain_play import Effects, Invocation
from lambdallm.chains import Chain, ChainRunner, Map, Parallel, Step
from lambdallm.llm.drivers import Driver
from lambdallm.llm.flow import Clock, Now


def store_at(kind, place):
    if kind == "file":
        from lambdallm.state.file import FileStateStore

        return FileStateStore(place)
    from lambdallm.state.dynamodb import DynamoDBStateStore

    return DynamoDBStateStore(place)


class Process:
    """What one process does: it notes what it asks and what its functions are called with."""

    def __init__(self, kind, place, folder, id):
        self.folder, self.id = folder, id
        self.chain = Chain("c", [
            Step("pages", func=lambda text: text.split()),
            Map(Step("each", "sum {item}"), over="{pages.output}", concurrency=2),
            Parallel("both", [Step("charge", func=self.charge), Step("title", "title {each.0}")]),
            Step("end", "{title.output} {each.output} {charge.output}"),
        ], store=store_at(kind, place))  # fmt: skip

    def note(self, *words):
        with open(self.folder / f"{self.id}.log", "a") as file:
            file.write(f"{' '.join(words)}\n")

    def charge(self, idempotency_key):
        self.note("charge", idempotency_key)
        return "paid"

    def answer(self, text):
        self.note("ask", text)
        return f"<{text}>"

    def run(self, cut, hours):
        """Run the chain, as if some hours had passed; kill this process at an effect."""
        driver = Driver()
        driver._perform[Now] = lambda _: Clock(time.monotonic(), time.time() + hours * 3600)
        effects = Effects(cut, lambda: os.kill(os.getpid(), signal.SIGKILL))
        context = Invocation(self.answer, seconds=0)
        result = driver.run(effects.of(ChainRunner(self.chain, checkpoint_id=self.id).flow(context, {"text": "a b c"})))
        interrupted = sum(step.interrupted for step in result.steps.values())
        return {"outputs": result.outputs, "interrupted": interrupted, "effects": effects.count}


def forked(make, cut, hours, answer):
    """What a process of its own gives in the file `answer`; whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            answer.write_text(json.dumps(make().run(cut, hours)))
        finally:
            os._exit(0 if answer.exists() else 1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0, "a process failed"
    return True


def main(kind, place, folder, every):
    folder, told = Path(folder), []
    cut = 0
    while True:
        id = f"cut-{cut}"

        def make(id=id):
            return Process(kind, place, folder, id)

        first, later = folder / f"{id}.first", folder / f"{id}.later"
        ended = forked(make, cut or None, 0, first)
        forked(make, None, 2, later)
        log = (folder / f"{id}.log").read_text().splitlines()
        told.append({"cut": cut, "log": log, **json.loads(later.read_text())})
        if ended and cut:
            break
        cut += int(every)
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
