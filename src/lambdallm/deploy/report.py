"""What a build came to: sizes against Lambda's limits, whose they are, what should be known. Pure."""

from __future__ import annotations

from .._value import Value
from .errors import BuildError
from .plan import OURS, PYTHON, RUNTIME, YOURS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MB = 1024 * 1024
UPLOAD_BYTES = 50 * MB
"""What can be sent with the request that makes or changes a function; a larger zip goes through S3 (docs: "Quotas")."""

UNZIPPED_BYTES = 250 * MB
"""What a function may have unzipped, its layers included."""

_WARN_FROM = 0.8


class Part(Value):
    """What one owner has in the package: bytes, and files."""

    owner: str
    version: str
    unzipped: int
    files: int


class Report(Value):
    """What was built: the file, its SHA-256 in hexadecimal, sizes in bytes, parts from the largest on, and notes."""

    output: str
    sha256: str
    zipped: int
    unzipped: int
    parts: tuple[Part, ...]
    handlers: tuple[str, ...]
    python: str
    arch: str
    runtime: str
    requirements: str | None = None
    compiled: int = 0
    left_to_the_runtime: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The limits that are near or passed, and all else that should be known."""
        return (*_near(self.zipped, self.unzipped), *self.notes)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON. `code_sha256` is what Lambda shows as `CodeSha256`."""
        from base64 import b64encode

        return {
            "output": self.output,
            "sha256": self.sha256,
            "code_sha256": b64encode(bytes.fromhex(self.sha256)).decode(),
            "zipped_bytes": self.zipped,
            "unzipped_bytes": self.unzipped,
            "limits": {"upload_bytes": UPLOAD_BYTES, "unzipped_bytes": UNZIPPED_BYTES},
            "handlers": list(self.handlers),
            "python": self.python,
            "arch": self.arch,
            "runtime": self.runtime,
            "requirements": self.requirements,
            "compiled_modules": self.compiled,
            "left_to_the_runtime": list(self.left_to_the_runtime),
            "parts": [{name: getattr(part, name) for name in Part._fields} for part in self.parts],
            "warnings": list(self.warnings),
        }


def parts(entries: Iterable[tuple[str, int]], versions: dict[str, str]) -> tuple[Part, ...]:
    """The parts that entries (owner, bytes) make, from the largest on."""
    sizes: dict[str, list[int]] = {}
    for owner, size in entries:
        sizes.setdefault(owner, []).append(size)
    found = (Part(owner, versions.get(owner, ""), sum(each), len(each)) for owner, each in sizes.items())
    return tuple(sorted(found, key=lambda part: (-part.unzipped, part.owner)))


def check_unzipped(found: Sequence[Part], *, runtime: str = "managed") -> None:
    """Raise `BuildError` for what Lambda would refuse, naming what is heaviest and what can go."""
    total = sum(part.unzipped for part in found)
    if total <= UNZIPPED_BYTES:
        return
    heaviest = ", ".join(f"{part.owner} {megabytes(part.unzipped)}" for part in found[:5])
    said = f"The package is {megabytes(total)} unzipped, and Lambda takes {megabytes(UNZIPPED_BYTES)}: {heaviest}."
    raise BuildError(said, fix=_way_out(found, runtime))


def megabytes(size: int) -> str:
    """A size as a person reads it."""
    if size < MB / 10:
        return f"{size / 1024:.1f} kB"
    return f"{size / MB:.1f} MB" if size < 10 * MB else f"{size / MB:.0f} MB"


def _way_out(found: Sequence[Part], runtime: str) -> str:
    """What to do about a package that is too large."""
    owners = {part.owner for part in found}
    ways = []
    if runtime == "managed" and "botocore" in owners:
        ways.append("leave boto3 to the runtime (--without-boto3)")
    if owners - {YOURS, OURS, PYTHON, RUNTIME}:
        ways.append("drop the source text of dependencies (--no-sources)")
        ways.append("do without what is heaviest")
    if found and YOURS in (found[0].owner, found[1].owner if len(found) > 1 else ""):
        ways.append("name large files of yours in .lambdaignore and read them from S3")
    ways.append("deploy a container image, which may have 10 GB")
    words = ", ".join(ways[:-1]) + f", or {ways[-1]}" if len(ways) > 1 else ways[0]
    return f"{words[0].upper()}{words[1:]}."


def _near(zipped: int, unzipped: int) -> Iterable[str]:
    if unzipped >= _WARN_FROM * UNZIPPED_BYTES:
        share = f"{unzipped / UNZIPPED_BYTES:.0%} of the {megabytes(UNZIPPED_BYTES)}"
        yield f"Unzipped it has {share} that a function and its layers may have."
    if zipped > UPLOAD_BYTES:
        yield f"The zip is over the {megabytes(UPLOAD_BYTES)} of a direct upload: deploy it from S3."
    elif zipped >= _WARN_FROM * UPLOAD_BYTES:
        yield f"The zip is {zipped / UPLOAD_BYTES:.0%} of the {megabytes(UPLOAD_BYTES)} of a direct upload."
