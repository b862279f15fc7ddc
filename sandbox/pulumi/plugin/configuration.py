"""The settings of the provider. Its endpoint can only be on this machine, never AWS."""

import json
from collections.abc import Mapping
from typing import Any, cast

from selfheal.sandbox.clients import Clients, Credentials, is_loopback
from selfheal.sandbox.errors import InputError
from selfheal.sandbox.provider.refusals import unknown
from selfheal.sandbox.provider.wire import is_unknown
from selfheal.sandbox.regions import partitions

SETTINGS: Mapping[str, str] = {
    "region": "Where resources are created. Default: AWS_REGION, else AWS_DEFAULT_REGION.",
    "accessKey": "Of the emulator. Default: AWS_ACCESS_KEY_ID.",
    "secretKey": "Of the emulator. Default: AWS_SECRET_ACCESS_KEY.",
    "token": "Of temporary credentials. Default: AWS_SESSION_TOKEN.",
    "endpoints": "Where services answer: one address of this machine for all. Default: AWS_ENDPOINT_URL.",
    "skipCredentialsValidation": "Of no effect: nothing is validated beforehand.",
    "skipMetadataApiCheck": "Of no effect: the metadata service of EC2 is never asked.",
    "skipRegionValidation": "Of no effect: a region that does not exist is always refused.",
    "skipRequestingAccountId": "Of no effect: the account is asked for when it is needed.",
    "s3UsePathStyle": "Of no effect: it is always used.",
}
"""Every setting that is implemented, with its description."""

SECRET = frozenset({"accessKey", "secretKey", "token"})
"""Settings that Pulumi encrypts in its state."""

_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "__internal", "__defaults"})
_REAL = (
    "To reach AWS use the real AWS provider: run the Pulumi CLI with your own PULUMI_HOME, not with this "
    "checkout's, whose plugin is the sandbox's."
)


def check(settings: Mapping[str, Any]) -> None:
    """Raise InputError for an unknown setting or an invalid value; a value not known yet is valid."""
    for name in settings:
        if name not in SETTINGS and name not in _OF_THE_ENGINE:
            raise InputError(unknown("setting of the AWS provider named", name, SETTINGS))
    region = settings.get("region")
    if isinstance(region, str) and not is_unknown(region):
        _check_region(region)
    endpoints = settings.get("endpoints")
    if endpoints is not None and not is_unknown(endpoints):
        _endpoint_of(endpoints)


def read(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Clients:
    """Return clients for the settings, or else for the environment.

    Raises InputError for a missing value, for what `check` refuses, and for an endpoint elsewhere.
    """
    check(settings)
    return Clients(
        _endpoint(settings, environment), _region(settings, environment), _key(settings, environment)
    )


def _endpoint(settings: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    given = settings.get("endpoints")
    if given:
        return _endpoint_of(given)
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    if not endpoint:
        raise InputError(
            "this is the sandbox's AWS provider, and no endpoint says where its emulator is. It never calls "
            "AWS itself. Run `selfheal pulumi ...`, or `selfheal serve` and set what it prints, "
            f"AWS_ENDPOINT_URL among it. {_REAL}"
        )
    return _loopback(endpoint)


def _endpoint_of(given: Any) -> str:
    """Return the one URL in `endpoints`, a list of objects from service to URL, which may be JSON text."""
    try:
        entries = json.loads(given) if isinstance(given, str) else given
        urls = {
            str(url) for entry in entries for url in cast("dict[str, Any]", entry).values() if url is not None
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "endpoints must be a list of objects from service to URL, such as "
            f'[{{"sqs": "http://127.0.0.1:4566"}}]; given was {given!r}. '
            "Correct it, or leave it out and set AWS_ENDPOINT_URL."
        ) from error
    if len(urls) > 1:
        raise InputError(
            f"endpoints must be one address for all services, as the emulator has; given were "
            f"{', '.join(sorted(urls))}. Name one, or leave it out and set AWS_ENDPOINT_URL."
        )
    return _loopback(next(iter(urls), ""))


def _loopback(endpoint: str) -> str:
    """Return the endpoint without trailing slashes; raise InputError unless it is of this machine."""
    if not is_loopback(endpoint):
        raise InputError(
            "this is the sandbox's AWS provider, and works on this machine's emulator only: its endpoint "
            f"must be http:// and localhost, 127.0.0.1 or [::1]; given was {endpoint}. Nothing was called. "
            f"{_REAL}"
        )
    return endpoint.rstrip("/")


def region_of(settings: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Return the region that settings, or else the environment, say; empty if neither does."""
    given = settings.get("region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return str(given or "")


def _region(settings: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    region = region_of(settings, environment)
    if not region:
        raise InputError(
            "no region is given. Run `pulumi config set aws:region us-east-1`, or set AWS_REGION."
        )
    _check_region(region)
    return region


def _check_region(region: str) -> None:
    if region not in partitions():
        raise InputError(unknown("region", region, sorted(partitions())))


def _key(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Credentials:
    # Both parts of a key must come from the same source.
    if settings.get("accessKey") or settings.get("secretKey"):
        pair = settings.get("accessKey"), settings.get("secretKey")
        token = settings.get("token")
    else:
        pair = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
        token = settings.get("token") or environment.get("AWS_SESSION_TOKEN")
    if not all(pair):
        raise InputError(
            "no key of the emulator is given: accessKey and secretKey, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, which `selfheal serve` prints. Profiles and ~/.aws are not read."
        )
    return Credentials(str(pair[0]), str(pair[1]), str(token) if token else None)
