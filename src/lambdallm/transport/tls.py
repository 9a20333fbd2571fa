"""TLS contexts: which authorities are trusted, and loading them as late as can be.

A bundle of all authorities takes 15 ms to load, a directory of the same certificates named by their hashes takes 1 ms,
because OpenSSL opens only the file it needs. So directories are preferred, in this order:

1. `TlsConfig(ca_file=…, ca_path=…)`: exactly these;
2. `LAMBDALLM_CA_DIR`: a directory made by `tls_roots.hash_certificates`;
3. `SSL_CERT_DIR`, when it holds hashed certificates; else `SSL_CERT_FILE`, exactly that file;
4. the platform's hashed directory (Debian and its kin have one);
5. the `roots` folder that packaging adds beside this module;
6. the platform's bundle.

Where 5 was used and a server's authority is not in it, the platform's bundle is added and the server tried once more: a
platform may know authorities of its own.

Whatever the source, certificates are always verified, names are always checked, and TLS is 1.2 or later. A private
authority is added by naming a file or directory that holds it in 1, 2 or 3.
"""

from __future__ import annotations

import os
import ssl

from .._value import Value
from .errors import ConnectError, TlsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BUNDLES = ("/etc/pki/tls/cert.pem", "/etc/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt")
"""Where distributions keep a bundle, for a Python built to look elsewhere."""

_VARIABLES = ("LAMBDALLM_CA_DIR", "SSL_CERT_DIR", "SSL_CERT_FILE")
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT and its kin: nobody we trust vouches for the certificate."""

_NAME_MISMATCHES = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


class TlsConfig(Value):
    """Private authorities and a client certificate, as paths of PEM files; `ca_path` is a directory of hashed ones.

    Naming an authority replaces the platform's. `client_key` may be omitted when the certificate's file holds the key.
    """

    ca_file: str | None = None
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


_packaged_only: set[ssl.SSLContext] = set()
_contexts: dict[tuple[TlsConfig, tuple[str | None, ...]], ssl.SSLContext] = {}


def tls_context(config: TlsConfig | None = None) -> ssl.SSLContext:
    """The context for a configuration, made once and shared. Raises `TlsError`."""
    settings = tuple(os.environ.get(name) for name in _VARIABLES)
    key = (config or TlsConfig(), settings)
    context = _contexts.get(key)
    if context is None:
        context = _contexts.setdefault(key, _make_context(key[0], os.environ))
    return context


def widened(context: ssl.SSLContext, error: OSError) -> bool:
    """Whether a handshake may succeed now: the platform's authorities were added to a context that had only ours."""
    unknown = isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _UNKNOWN_ISSUER
    if not unknown or context not in _packaged_only:
        return False
    _packaged_only.discard(context)
    try:
        _load_platform(context)
    except TlsError:
        return False
    return True


def handshake_error(error: OSError, host: str) -> ConnectError:
    """What a failed handshake means, with what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message
        if error.verify_code in _NAME_MISMATCHES:
            return TlsError(f"The certificate of {host!r} is for another name: {reason} Check the URL's host.")
        fix = "Name a private authority's file in SSL_CERT_FILE or TlsConfig(ca_file=…)"
        return TlsError(f"The certificate of {host!r} is not trusted: {reason}. {fix}.")
    if isinstance(error, ssl.SSLError):
        return TlsError(
            f"The TLS handshake with {host!r} failed: {error.reason or error}. Check that it serves TLS 1.2."
        )
    return ConnectError(
        f"{host!r} closed the connection during the TLS handshake: {error.strerror or error}. Try again."
    )


def find_roots(config: TlsConfig, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The bundle and the hashed directory to trust; both `None` means the platform's defaults."""
    if config.ca_file or config.ca_path:
        return config.ca_file, config.ca_path
    for name in ("LAMBDALLM_CA_DIR", "SSL_CERT_DIR"):
        if is_hashed(environ.get(name, "")):
            return None, environ[name]
    if environ.get("SSL_CERT_FILE"):
        return environ["SSL_CERT_FILE"], None
    for folder in (ssl.get_default_verify_paths().openssl_capath, _packaged_roots()):
        if is_hashed(folder):
            return None, folder
    return None, None


def is_hashed(folders: str) -> bool:
    """Whether one of these folders (separated like `PATH`) holds a certificate named by its hash: `5ed36f99.0`."""
    for folder in filter(None, folders.split(os.pathsep)):
        try:
            with os.scandir(folder) as entries:
                if any(len(entry.name) == 10 and entry.name.endswith(".0") for entry in entries):
                    return True
        except OSError:
            continue
    return False


def _make_context(config: TlsConfig, environ: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    file, folder = find_roots(config, environ)
    _load_roots(context, file, folder)
    if folder == _packaged_roots():
        _packaged_only.add(context)
    if config.client_cert:
        _load(config.client_cert, lambda name: context.load_cert_chain(name, config.client_key))
    return context


def _load_roots(context: ssl.SSLContext, file: str | None, folder: str | None) -> None:
    if folder is not None:
        if not is_hashed(folder):
            raise TlsError(f"{folder!r} holds no hashed certificates. Make them with `openssl rehash`.")
        context.load_verify_locations(capath=folder)
    if file is not None:
        _load(file, context.load_verify_locations)
    if file is None and folder is None:
        _load_platform(context)


def _load_platform(context: ssl.SSLContext) -> None:
    """The platform's own authorities; an empty store would reject every server without saying why."""
    context.load_default_certs()
    if not context.cert_store_stats()["x509_ca"]:
        bundle = next((path for path in _BUNDLES if os.path.exists(path)), None)
        if bundle is None:
            raise TlsError("No certificate authorities were found. Install ca-certificates, or set SSL_CERT_FILE.")
        context.load_verify_locations(bundle)


def _load(name: str, load: Callable[[str], None]) -> None:
    try:
        load(name)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(
            f"The certificate file {name!r} can't be loaded: {error}. Give the path of a PEM file."
        ) from error


def _packaged_roots() -> str:
    return os.path.join(os.path.dirname(__file__), "roots")
