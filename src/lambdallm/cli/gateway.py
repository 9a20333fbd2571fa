"""`lambdallm gateway`: serve the gateway on this machine or in a container, under uvicorn.

Without keys it serves this machine alone: whoever reaches it spends the providers' money.
"""

from __future__ import annotations

import os

from ..llm.errors import ConfigurationError, MissingExtraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from ..gateway.app import Gateway

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_APPLICATION = "lambdallm.gateway.hosts.asgi:configured_application"


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("gateway", help="serve an OpenAI-compatible gateway")
    parser.add_argument(
        "--config", metavar="FILE", help="gateway.yaml or gateway.json; the one in this folder if left out"
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=int, default=4000, help="the port to listen at (4000)")
    parser.add_argument("--workers", metavar="N", type=int, default=1, help="how many processes serve (1)")


def run(args: Namespace) -> int:
    """Run the verb."""
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("The gateway's server", "server") from error
    if args.config:
        os.environ["LAMBDALLM_GATEWAY"] = os.path.abspath(args.config)
    gateway = _checked(args)
    print(_told(gateway, args), flush=True)
    options: dict[str, Any] = {
        "host": args.host,
        "port": args.port,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
    }
    if args.workers > 1:
        uvicorn.run(_APPLICATION, factory=True, workers=args.workers, **options)
        return 0
    from ..gateway.hosts.asgi import application

    uvicorn.run(application(gateway), **options)
    return 0


def _checked(args: Namespace) -> Gateway:
    """The gateway, if it may stand where it is to. Raises `ConfigurationError`."""
    if not 0 <= args.port <= 65535:
        raise ConfigurationError(f"--port is {args.port}.", fix="Use a number from 0 to 65535.")
    if args.workers < 1:
        raise ConfigurationError(f"--workers is {args.workers}.", fix="Use a number of at least 1.")
    from ..gateway.assemble import assembled

    gateway = assembled()
    if gateway.keys is None and args.host not in _LOOPBACK:
        fix = "Configure keys (keys: {store: sqlite}), or listen at 127.0.0.1."
        raise ConfigurationError(f"A gateway without keys would be open to all who reach {args.host!r}.", fix=fix)
    return gateway


def _told(gateway: Gateway, args: Namespace) -> str:
    host = f"[{args.host}]" if ":" in args.host else args.host
    names = [served.name for served in gateway.models.listed()]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    keys = "no keys: whoever is on this machine may use it" if gateway.keys is None else "keys"
    return f"http://{host}:{args.port}/v1  ({keys}; models: {shown or 'those of the catalog'})"
