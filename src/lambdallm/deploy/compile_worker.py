"""Compiles sources to bytecode: a script, run by the Python whose bytecode is wanted, knowing nothing of LambdaLLM.

Reads a pickle of `[(path as it will be in Lambda, source)]` from standard input and writes one of the results in that
order to standard output: the bytes of a `.pyc` file, or the text of what is wrong with the source. The files carry
the hash of their source and say that it is not to be checked (PEP 552, "unchecked hash"), so that times don't matter.
Started without a site, with a fixed hash seed: bytecode then depends on the source, the path and the version alone.
"""

import importlib.util
import marshal
import pickle
import sys
import warnings

_UNCHECKED_HASH = (1).to_bytes(4, "little")


def compiled(path: str, source: bytes) -> bytes | str:
    """The bytes of a `.pyc` file, or what is wrong with the source."""
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return str(error)
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    return head + marshal.dumps(code)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10_000)
    results = [compiled(path, source) for path, source in pickle.load(sys.stdin.buffer)]
    pickle.dump(results, sys.stdout.buffer)
