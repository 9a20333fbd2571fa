"""Google tokens without a Google key: workload identity federation and impersonation.

A function on AWS proves its role by a signed `GetCallerIdentity` request, which Google sends to AWS to learn who
signed it; anything else proves itself by a token in a file. Google's Security Token Service exchanges the proof for a
federated token, with which, where the configuration says so, a service account is impersonated.

Sources: AIP-4117; Google, "Workload identity federation with AWS"; RFC 8693.
"""

from __future__ import annotations

import json

from ..errors import ConfigurationError
from .google import SCOPE, field, https_url, token_of
from .tokens import Token, answered, form_post, is_plain, json_object, read_file, read_token, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..flow import Environ, Flow

    Info = Mapping[str, Any]

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_IDENTITY_URL = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
_SECONDS = "3600s"
_ROLE_FIX = "Check the pool, its provider and its conditions, and that this role is mapped to a principal."
_MAY_FIX = "Give the caller the role 'Service Account Token Creator' on the service account."


def external_account(info: Info, name: str, scope: str, now: float, environ: Environ) -> Flow[Token]:
    """The token for a proof of another cloud's identity."""
    url = https_url(info.get("token_url"), name, "token_url")
    impersonation = info.get("service_account_impersonation_url")
    source = info.get("credential_source")
    if isinstance(source, dict) and str(source.get("environment_id", "")).startswith("aws"):
        subject = yield from _aws_subject(info, source, now, environ)
    else:
        subject = _file_subject(source, name)
    fields = {
        "grant_type": _EXCHANGE,
        "audience": field(info, name, "audience"),
        "scope": SCOPE if impersonation else scope,
        "requested_token_type": _ACCESS_TOKEN,
        "subject_token_type": field(info, name, "subject_token_type"),
        "subject_token": subject,
    }
    who = "Google's Security Token Service"
    federated = read_token((yield from answered(form_post(url, fields), who)), now, who, _ROLE_FIX)
    return (yield from _impersonated(impersonation, federated, name, scope, now)) if impersonation else federated


def impersonated_account(info: Info, name: str, scope: str, now: float, environ: Environ) -> Flow[Token]:
    """The token of a service account that other credentials may act as."""
    source = info.get("source_credentials")
    if not isinstance(source, dict) or not isinstance(source.get("type"), str):
        raise ConfigurationError(f"{name} has no 'source_credentials'.", fix="Create the credentials again.")
    if source["type"] == info["type"]:
        raise ConfigurationError(f"{name} impersonates twice.", fix="Name the last account, with delegates.")
    own = yield from token_of(source, name, SCOPE, now, environ)
    url = info.get("service_account_impersonation_url")
    return (yield from _impersonated(url, own, name, scope, now, info.get("delegates")))


def _impersonated(url: Any, own: Token, name: str, scope: str, now: float, delegates: Any = None) -> Flow[Token]:
    from ...aws.credentials import epoch_seconds
    from ...aws.errors import AwsError
    from ...transport.types import HttpRequest

    asked = {"scope": [scope], "lifetime": _SECONDS} | ({"delegates": delegates} if delegates else {})
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {own.value}"))
    where = https_url(url, name, "service_account_impersonation_url")
    who = "Google's IAM Credentials service"
    response = yield from answered(HttpRequest("POST", where, headers, json.dumps(asked).encode()), who)
    answer = json_object(response.body)
    value = answer.get("accessToken")
    if response.status != 200 or not isinstance(value, str) or not is_plain(value):
        raise refused(response, answer, who, _MAY_FIX)
    try:
        end = epoch_seconds(str(answer.get("expireTime")))
    except AwsError:
        end = now + 3600.0
    return Token(value, end)


def _file_subject(source: Any, name: str) -> str:
    """The proof that a file holds, as text or in a field of its JSON."""
    path = source.get("file") if isinstance(source, dict) else None
    if not isinstance(path, str):
        fix = "Use an AWS or a file-sourced configuration, or a service account's key."
        raise ConfigurationError(f"{name} has a 'credential_source' that is not supported.", fix=fix)
    text = read_file(path, f"The credential_source of {name}").strip()
    form = source.get("format")
    if isinstance(form, dict) and form.get("type") == "json":
        value = json_object(text.encode()).get(str(form.get("subject_token_field_name")))
        text = value if isinstance(value, str) else ""
    if not text:
        raise ConfigurationError(f"The credential_source of {name} holds no token.", fix="Check what writes it.")
    return text


def _aws_subject(info: Info, source: Mapping[str, Any], now: float, environ: Environ) -> Flow[str]:
    """A signed request that only this role can have made, as the JSON that Google reads."""
    from ...aws.sigv4 import sign
    from ...transport.types import HttpRequest
    from . import percent_encoded
    from .aws import aws_credentials, aws_region

    credentials, region = (yield from aws_credentials(environ, now)), aws_region(environ)
    url = str(source.get("regional_cred_verification_url") or _IDENTITY_URL).replace("{region}", region)
    host = url.partition("://")[2].partition("/")[0].partition("?")[0]
    headers = (("host", host), ("x-goog-cloud-target-resource", str(info.get("audience"))))
    signed = sign(HttpRequest("POST", url, headers), credentials, service="sts", region=region, now=now)
    lines = [{"key": key, "value": value} for key, value in signed.headers]
    return percent_encoded(json.dumps({"url": url, "method": "POST", "headers": lines}))
