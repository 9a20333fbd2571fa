"""A private authority beside all of the system's own: what a client that reads the system's certificates finds.

Made with the `openssl` command, as a bundle and as a directory of the same certificates named by their hashes.
"""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem", "/etc/ssl/cert.pem")
_END = "-----END CERTIFICATE-----\n"
_SERVER = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files, and how many authorities a client is told to trust."""

    bundle: Path
    directory: Path
    server: Path
    key: Path
    authorities: int


def certificates(folder: Path) -> Certificates:
    """The certificates in `folder`, made when missing. Raises `RuntimeError` without `openssl` or a system's bundle."""
    made = folder / "server.pem"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _issue(folder)
        _trust(folder)
    bundle, directory = folder / "bundle.pem", folder / "hashed"
    return Certificates(bundle, directory, made, folder / "server.key", bundle.read_text().count(_END))


def _issue(folder: Path) -> None:
    """An authority and a certificate of its for localhost, on the P-256 curve as most servers' are."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    (folder / "server.ext").write_text(_SERVER)
    _openssl(
        folder,
        "req",
        "-x509",
        *curve,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "3650",
        "-subj",
        "/CN=LambdaLLM benchmark authority",
    )
    _openssl(folder, "req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650", "-extfile", "server.ext")
    _openssl(folder, "x509", "-req", "-in", "server.csr", *signed, "-out", "issued.pem")


def _trust(folder: Path) -> None:
    """The bundle and the hashed directory; the server's certificate gets its name last, as the mark of success."""
    bundle = _system_bundle().read_text(errors="replace").rstrip("\n") + "\n" + (folder / "ca.pem").read_text()
    (folder / "bundle.pem").write_text(bundle)
    hashed = folder / "hashed"
    hashed.mkdir(exist_ok=True)
    for number, text in enumerate(bundle.split(_END)[:-1]):
        (hashed / f"authority-{number:03}.pem").write_text(text + _END)
    _openssl(folder, "rehash", "hashed")
    (folder / "issued.pem").rename(folder / "server.pem")


def _system_bundle() -> Path:
    named = ssl.get_default_verify_paths().cafile
    for place in (named, *_BUNDLES):
        if place and Path(place).is_file():
            return Path(place)
    raise RuntimeError("No bundle of the system's certificates was found. Install ca-certificates.")


def _openssl(folder: Path, *arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise RuntimeError("The openssl command was not found. Install it to measure TLS.") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"openssl {arguments[0]} failed: {error.stderr.strip()}") from None
