"""Ids of tool calls for protocols that allow only some letters: another protocol's ids, changed the same way each time.

A call and its result are changed alike, in this request and in the next, so they still find each other. A checksum of
the id that was keeps two ids apart that would come out the same.
"""

from __future__ import annotations

import re
from binascii import crc32

_LONGEST = 256


def fitting_id(id: str, *, longest: int = _LONGEST, also: str = "") -> str:
    """The id itself where it is short and of letters, digits, `_`, `-` and those in `also`; else one made from it."""
    strange = f"[^a-zA-Z0-9_{also}-]"
    if 0 < len(id) <= longest and not re.search(strange, id):
        return id
    mark = f"{crc32(id.encode('utf-8', 'surrogatepass')):08x}"
    return f"{re.sub(strange, '_', id)[: longest - 9] or 'call'}_{mark}"
