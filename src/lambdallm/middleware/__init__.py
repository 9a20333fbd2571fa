"""What runs around every invocation: order, logs, money, callers, limits.

    from lambdallm import handler
    from lambdallm.middleware import ApiKeys, AuthMiddleware, CorsMiddleware, CostTrackingMiddleware, LoggingMiddleware

    @handler(middleware=[LoggingMiddleware(), CorsMiddleware(["https://app.example.com"]), AuthMiddleware(keys)])
    def lambda_handler(event, context): ...

The first of the list is outermost. `Middleware` is the base of your own; its module says what runs when.
"""

from __future__ import annotations

from .._door import door

_HOMES = {
    "ApiKeys": "api_keys",
    "AuthMiddleware": "auth",
    "BudgetAlert": "spending",
    "ConflictError": "errors",
    "CorsMiddleware": "cors",
    "CostTrackingMiddleware": "cost",
    "FlowMiddleware": "base",
    "ForbiddenError": "errors",
    "IdempotencyMiddleware": "idempotency",
    "InvalidEventError": "errors",
    "InvalidResultError": "errors",
    "Jwt": "jwt",
    "KeyReusedError": "errors",
    "LoggingMiddleware": "logging",
    "Middleware": "base",
    "Principal": "principal",
    "RateLimitMiddleware": "rate_limit",
    "ShortCircuit": "base",
    "TooManyRequestsError": "errors",
    "ValidationMiddleware": "validation",
}

__all__ = [
    "ApiKeys",
    "AuthMiddleware",
    "BudgetAlert",
    "ConflictError",
    "CorsMiddleware",
    "CostTrackingMiddleware",
    "FlowMiddleware",
    "ForbiddenError",
    "IdempotencyMiddleware",
    "InvalidEventError",
    "InvalidResultError",
    "Jwt",
    "KeyReusedError",
    "LoggingMiddleware",
    "Middleware",
    "Principal",
    "RateLimitMiddleware",
    "ShortCircuit",
    "TooManyRequestsError",
    "ValidationMiddleware",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api_keys import ApiKeys
    from .auth import AuthMiddleware
    from .base import FlowMiddleware, Middleware, ShortCircuit
    from .cors import CorsMiddleware
    from .cost import CostTrackingMiddleware
    from .errors import (
        ConflictError,
        ForbiddenError,
        InvalidEventError,
        InvalidResultError,
        KeyReusedError,
        TooManyRequestsError,
    )
    from .idempotency import IdempotencyMiddleware
    from .jwt import Jwt
    from .logging import LoggingMiddleware
    from .principal import Principal
    from .rate_limit import RateLimitMiddleware
    from .spending import BudgetAlert
    from .validation import ValidationMiddleware

__getattr__, __dir__ = door(__name__, _HOMES)
