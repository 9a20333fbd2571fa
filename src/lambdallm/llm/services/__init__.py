"""AWS services without an SDK: signed requests over the transport, every operation a flow.

    queue = SQSQueue("https://sqs.eu-central-1.amazonaws.com/123456789012/jobs")
    yield from queue.send(b"...")
    key = yield from ParameterStore().get("/app/prod/openai")

Each has the few operations that are needed here. All raise `ServiceError`, a `BackendError`, whose fix names the
permission that is missing. `AwsService` and `JsonService` reach any other one.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "AwsService": "service",
    "FunctionFailed": "errors",
    "JsonService": "service",
    "LambdaFunction": "functions",
    "MessagesFailed": "errors",
    "ParameterStore": "parameters",
    "QueueMessage": "queue",
    "S3Bucket": "bucket",
    "SQSQueue": "queue",
    "SecretsManager": "secrets",
    "ServiceError": "errors",
    "ServiceFacts": "service",
}

__all__ = [
    "AwsService",
    "FunctionFailed",
    "JsonService",
    "LambdaFunction",
    "MessagesFailed",
    "ParameterStore",
    "QueueMessage",
    "S3Bucket",
    "SQSQueue",
    "SecretsManager",
    "ServiceError",
    "ServiceFacts",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .bucket import S3Bucket
    from .errors import FunctionFailed, MessagesFailed, ServiceError
    from .functions import LambdaFunction
    from .parameters import ParameterStore
    from .queue import QueueMessage, SQSQueue
    from .secrets import SecretsManager
    from .service import AwsService, JsonService, ServiceFacts

__getattr__, __dir__ = door(__name__, _HOMES)
