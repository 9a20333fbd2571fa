"""A gateway with an endpoint of its own, behind the same keys."""

from lambdallm.gateway import CatalogModels, Gateway, Reply, Route
from lambdallm.gateway.hosts.lambda_host import handler


def whoami(gateway, request, caller):
    """Say whose key it is. An endpoint is a flow: what it waits for, it yields."""
    yield from ()
    return Reply(200, (("content-type", "text/plain"),), caller.user.encode())


gateway = Gateway(models=CatalogModels({"fast": "echo/echo"}), routes=[Route("GET", "/whoami", whoami)])
lambda_handler = handler(gateway)
