"""Directories of hashed certificates, made at build time from a bundle, without the openssl command.

OpenSSL finds an authority by the hash of its subject: SHA-1 over the subject's canonical form, the first four bytes
as a little-endian number. The canonical form (OpenSSL's `x509_name_canon`) is the relative names one after another,
each value as UTF-8 in lower case with white space trimmed and collapsed. Zip files and wheels carry no symbolic
links, so the files are real ones.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_SEQUENCE, _VERSION, _UTF8 = 0x30, 0xA0, 0x0C

_TEXT_ENCODINGS = {
    0x0C: "utf-8",
    0x13: "latin-1",  # PrintableString
    0x14: "latin-1",  # T61String, which OpenSSL reads as Latin-1
    0x16: "latin-1",  # IA5String
    0x1A: "latin-1",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")


def hash_certificates(bundle: str | PathLike[str], folder: str | PathLike[str]) -> int:
    """Write each certificate of a PEM bundle to `<hash>.<n>` in a folder and return how many there were.

    The folder is created when missing; a certificate that occurs twice is written once. Raises `ValueError`, `OSError`.
    """
    with open(bundle, encoding="utf-8", errors="replace") as file:
        certificates = list(dict.fromkeys(split_bundle(file.read())))
    if not certificates:
        raise ValueError(f"{os.fspath(bundle)!r} holds no certificate. Give a PEM file.")
    os.makedirs(folder, exist_ok=True)
    counts: dict[str, int] = {}
    for certificate in certificates:
        name = subject_hash(certificate)
        number = counts.get(name, 0)
        counts[name] = number + 1
        with open(os.path.join(folder, f"{name}.{number}"), "w", encoding="ascii") as file:
            file.write(_to_pem(certificate))
    return len(certificates)


def split_bundle(text: str) -> Iterator[bytes]:
    """The certificates of a PEM text, in DER."""
    import binascii

    for part in text.split(_BEGIN)[1:]:
        body, end, _ = part.partition(_END)
        if end:
            yield binascii.a2b_base64(body)


def subject_hash(certificate: bytes) -> str:
    """What `openssl x509 -subject_hash` prints for a certificate in DER. Raises `ValueError` when it is not one."""
    import hashlib

    try:
        canonical = b"".join(_canonical_set(content) for _, content, _ in _items(_subject(certificate)))
    except (IndexError, StopIteration, UnicodeError):
        raise ValueError("The bytes are not an X.509 certificate in DER.") from None
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _subject(certificate: bytes) -> bytes:
    """The content of the subject: the fifth field of the signed part, or the sixth where a version comes first."""
    _, outer, _ = next(_items(certificate))
    _, signed, _ = next(_items(outer))
    fields = list(_items(signed))
    tag, content, _ = fields[5 if fields[0][0] == _VERSION else 4]
    if tag != _SEQUENCE:
        raise ValueError("The bytes are not an X.509 certificate in DER.")
    return content


def _canonical_set(content: bytes) -> bytes:
    """One relative name: usually one attribute; several are sorted, as DER sorts sets."""
    return _wrap(0x31, b"".join(sorted(_canonical_attribute(inner) for _, inner, _ in _items(content))))


def _canonical_attribute(content: bytes) -> bytes:
    """A type and its value, text in canonical form and anything else as it stands."""
    (_, _, kind), (tag, value, raw) = _items(content)
    encoding = _TEXT_ENCODINGS.get(tag)
    if encoding is not None:
        text = value.decode(encoding).encode("utf-8").translate(_LOWER)
        raw = _wrap(_UTF8, b" ".join(text.split()))
    return _wrap(_SEQUENCE, kind + raw)


def _items(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The DER values in a row: tag, content, and the whole value."""
    at = 0
    while at < len(data):
        start, length = at + 2, data[at + 1]
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[at + 2 : start], "big")
        yield data[at], data[start : start + length], data[at : start + length]
        at = start + length


def _wrap(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _to_pem(certificate: bytes) -> str:
    import binascii

    text = binascii.b2a_base64(certificate, newline=False).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join((_BEGIN, *lines, _END, ""))
