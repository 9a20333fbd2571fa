"""Who may manage keys: holders of an admin key, and AWS principals that API Gateway or a function URL has recognised.

A key that could be guessed is refused when the gateway starts: whoever has it can make keys for anybody.
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError
from ..caller import Caller, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHORTEST = 32
_LEAST_BITS = 96.0
_FIX = """Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"."""
WEAKEST_ALLOWED = f"{_SHORTEST} characters, and none that a person made up"


class Admins:
    """The administrators: one key, or several by the names that the audit shall have, and patterns of ARNs.

        Admins("…", arns=["arn:aws:sts::123456789012:assumed-role/KeyAdmins/*"])

    Raises `ConfigurationError` for a weak key, and where there is neither a key nor an ARN.
    """

    def __init__(self, keys: str | Mapping[str, str] | None = None, *, arns: Iterable[str] = ()) -> None:
        from hashlib import sha256

        named = {"admin": keys} if isinstance(keys, str) else dict(keys or {})
        self._arns = tuple(arns)
        if not named and not self._arns:
            raise ConfigurationError("There is no admin key, and no ARN of an administrator.", fix=_FIX)
        for name, key in named.items():
            check_admin_key(key, name)
        for arn in self._arns:
            _check_arn(arn)
        self._digests = [(name, sha256(key.encode()).digest()) for name, key in named.items()]

    def with_key(self, digest: bytes) -> Caller | None:
        """The administrator whose key has that SHA-256 digest. All are compared, wherever one fits."""
        from hmac import compare_digest

        found: str | None = None
        for name, known in self._digests:
            if compare_digest(known, digest):
                found = name
        return None if found is None else Caller(key_id=f"admin:{found}", user=found, name=found, admin=True)

    def with_arn(self, arn: str) -> Caller | None:
        """The administrator with that ARN."""
        if not arn or not any(matches(pattern, arn) for pattern in self._arns):
            return None
        return Caller(key_id="admin:iam", user=arn, name=arn, admin=True)

    def __repr__(self) -> str:
        return f"Admins({[name for name, _ in self._digests]!r}, arns={list(self._arns)!r})"


def check_admin_key(key: str, name: str = "admin") -> None:
    """Raise `ConfigurationError` for a key that is missing or could be guessed. The key itself is quoted nowhere."""
    why = _weakness(key)
    if why:
        raise ConfigurationError(f"The admin key {name!r} {why}.", fix=_FIX)


def _weakness(key: str) -> str:
    if not key:
        return "is missing"
    if not key.isascii() or any(not character.isprintable() or character == " " for character in key):
        return "has characters that no header carries"
    if len(key) < _SHORTEST:
        return f"has {len(key)} characters, not {_SHORTEST}"
    if _is_repeated(key) or _steps(key) > len(key) / 2:
        return "repeats itself"
    return "has too little in it that is random" if _bits(key) < _LEAST_BITS else ""


def _is_repeated(key: str) -> bool:
    """Whether it is one shorter text several times over, such as `changeme`."""
    return any(key == (key[:size] * len(key))[: len(key)] for size in range(1, len(key) // 2 + 1))


def _steps(key: str) -> int:
    """How many characters are the one before, or next to it in the alphabet."""
    from itertools import pairwise

    return sum(abs(ord(one) - ord(next)) <= 1 for one, next in pairwise(key))


def _bits(key: str) -> float:
    """Shannon's entropy of its characters: what is at most in it."""
    from math import log2

    counts = [key.count(character) for character in set(key)]
    return -sum(count * log2(count / len(key)) for count in counts)


def _check_arn(arn: str) -> None:
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("iam", "sts") or not parts[4].isdigit():
        fix = "Give arn:aws:iam::<account>:user/<name> or arn:aws:sts::<account>:assumed-role/<role>/*."
        raise ConfigurationError(f"{arn!r} is no ARN of a user or a role in one account.", fix=fix)
