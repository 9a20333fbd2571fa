"""The garbage collector while an environment starts: it waits, as what is loaded then stays for good.

Loading modules makes tens of thousands of objects and hardly any garbage; looking through them again and again takes
a tenth of a cold start. So start scripts switch it off until the runtime's own modules are loaded, and from then on
collections are rare until the first answer is out, or a snapshot is taken: rare, not switched off, as the function may
make garbage. That is collected then, what is left is set aside (`gc.freeze`), and everything is as Python has it.
"""

from __future__ import annotations

import gc

OBJECTS = 100_000
"""So many more objects than at the last collection begin the next one while an environment starts; Python has 700."""

_before: list[tuple[int, int, int]] = []


def hold_back() -> None:
    """Collect rarely from now on, until `settle`."""
    _before.append(gc.get_threshold())
    gc.set_threshold(OBJECTS, *_before[-1][1:])
    gc.enable()


def settle() -> None:
    """Collect as before `hold_back`, without what is there by now. A function's own settings are left alone."""
    if not _before:
        return
    before = _before.pop()
    if gc.get_threshold()[0] != OBJECTS:
        return
    if gc.isenabled():
        gc.collect()  # what is set aside is never looked at again, garbage neither
        gc.freeze()
    gc.set_threshold(*before)
