"""Chains that hypothesis draws: prompts, functions, conditions, groups, maps and chains within, nested in one another.

Whatever happens in them follows from what came before, so two runs can be compared.
"""

from hashlib import sha256

from hypothesis import strategies as st

from lambdallm.chains import Chain, Map, Parallel, Step


class Outside:
    """What functions change in the world: `calls` of each key, `done` under it, once."""

    def __init__(self):
        self.calls, self.done = [], {}

    def charge(self, key, value):
        self.calls.append(key)
        return self.done.setdefault(key, value)


def short(value):
    return sha256(repr(value).encode()).hexdigest()[:8]


OUTSIDE = [Outside()]


def keyed(outputs, idempotency_key):
    return OUTSIDE[0].charge(idempotency_key, short(sorted(outputs.items())))


def listed(outputs):
    return [short((number, sorted(outputs.items()))) for number in range(3)]


def often(outputs):
    return short(sorted(outputs.items()))[0] in "01234567"


KINDS = ["prompt", "prompt", "keyed", "listed", "skipped", "map", "parallel", "chain"]


@st.composite
def chains(draw, depth=0, prefix="s"):
    """Steps in order: what each is, and how much is inside it, is drawn; it refers to what comes before."""
    steps, names, lists = [], [], []
    for number in range(draw(st.integers(1, 4 if depth == 0 else 2))):
        name = f"{prefix}{number}"
        steps.append(one_step(draw, name, names, lists, depth))
        names.append(name)
        if steps[-1].kind == "func" and steps[-1].func is listed:
            lists.append(name)
    return steps


def one_step(draw, name, names, lists, depth):
    kind = draw(st.sampled_from(KINDS if depth < 2 else KINDS[:6]))
    about = " ".join([name, *(f"{{{one}.output}}" for one in names[-2:])])
    if kind == "prompt":
        return Step(name, about)
    if kind in ("keyed", "listed"):
        return Step(name, func=keyed if kind == "keyed" else listed)
    if kind == "skipped":
        return Step(name, about, condition=often)
    if kind == "map":
        over = f"{{{lists[-1]}.output}}" if lists else ["a", "b"]
        return Map(Step(name, f"{name} {{item}}"), over=over, concurrency=draw(st.integers(1, 3)))
    if kind == "chain":
        return Step(name, chain=Chain(name, draw(chains(depth=depth + 1, prefix=f"{name}c"))))
    members = [one_step(draw, f"{name}p{at}", names, lists, depth + 1) for at in range(draw(st.integers(1, 3)))]
    return Parallel(name, members)
