"""Who may call an API: the secret with digests of tokens, and the function that asks for them."""

import json
from collections.abc import Mapping
from typing import cast

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import own_code
from selfheal.components.iam import allow
from selfheal.components.patterns.function import pattern_function
from selfheal.components.security import Security, Store
from selfheal.functions.shared.tokens import CALLER, TOKEN, digest


def authorizer_function(
    name: str,
    callers: Input[Mapping[str, Input[str]]],
    *,
    arns: Arns,
    security: Security,
    parent: pulumi.Resource,
) -> tuple[aws.lambda_.Function, aws.secretsmanager.SecretVersion]:
    """Register a function that says who calls, for an authorizer of type TOKEN.

    Args:
        name: Logical name.
        callers: Token by name. Without any nobody gets in.
        arns: Builds ARNs.
        security: Key of secret, environment and logs, and boundary of the role.
        parent: The API's component.

    Returns:
        The function, and the value of its secret, without which it does not start.

    Raises:
        ComponentError: later, when the callers are known, if `digests` refuses them.

    """
    options = pulumi.ResourceOptions(parent=parent)
    secret = aws.secretsmanager.Secret(
        f"{name}-callers",
        description="Names of callers by the SHA-256 digest of their token",
        kms_key_id=security.key,
        opts=options,
    )
    version = aws.secretsmanager.SecretVersion(
        f"{name}-callers-version",
        secret_id=secret.id,
        secret_string=Output.secret(callers).apply(lambda known: digests(cast("Mapping[str, str]", known))),
        opts=options,
    )
    function = pattern_function(
        name,
        # More memory than it needs: it starts faster, and the first request waits for that.
        {"code": own_code("authorizer"), "timeout_seconds": 10, "memory_mb": 512},
        Access(
            {"CALLERS_SECRET": secret.name},
            [
                allow(["secretsmanager:GetSecretValue"], [arns.secret(secret.name)]),
                *security.reads(Store.SECRET),
            ],
        ),
        arns=arns,
        security=security,
        parent=parent,
    )
    return function, version


def digests(callers: Mapping[str, str]) -> str:
    """Return the text of the secret: names by digest, as JSON.

    Raises:
        ComponentError: when a name or token is not allowed, or two callers have one token. None is quoted.

    """
    found: dict[str, str] = {}
    for name, token in callers.items():
        if not CALLER.fullmatch(name):
            raise ComponentError(
                "the names of `callers` must be 1 to 64 letters, digits, hyphens and underscores, got "
                f"{_shown(name)}. Rename the caller."
            )
        if not TOKEN.fullmatch(token):
            raise ComponentError(
                f"the token of caller {_shown(name)} must be 32 to 1,024 characters of visible ASCII, got "
                f"{len(token)} characters. Make one: openssl rand -hex 32"
            )
        if (other := found.setdefault(digest(token), name)) != name:
            raise ComponentError(
                f"callers must have different tokens, got the same one for {_shown(other)} and "
                f"{_shown(name)}: nobody could tell them apart. Make a new one for each: openssl rand -hex 32"
            )
    return json.dumps(found, sort_keys=True)


def _shown(name: str) -> str:
    """Return a name to quote, unless somebody has put a token in its place."""
    return repr(name) if len(name) < 32 else "one that is not shown, as it may be a token"  # noqa: PLR2004
