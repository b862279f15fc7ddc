"""Where resources are: region and account belong to what a name means, also before anything is deployed."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns
from selfheal_policies.arns import Arn
from selfheal_policies.documents import has_wildcard, resource_matches
from selfheal_policies.values import entries, get, parsed, text

_ARN = re.compile(r"arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:[^\"'\s,\\]+")

_WITHOUT_REGION = frozenset({arns.BUCKET, arns.POLICY, arns.ROLE})
"""Kinds whose names are the same in every region."""


@dataclass(frozen=True)
class Place:
    """A region of an account. What is not known is empty, and may be any."""

    region: str = ""
    account: str = ""

    def may_hold(self, arn: Arn) -> bool:
        """Return whether what an ARN names, in which `*` and `?` are wildcards, may be here."""
        return _agree(arn.region, self.region) and _agree(arn.account, self.account)

    def named(self, arn: Arn) -> Arn:
        """Return what a bare name means here."""
        region = "" if arn.kind in _WITHOUT_REGION else self.region
        account = "" if arn.kind == arns.BUCKET else self.account
        return Arn(arn.kind, arn.name, arn.qualifier, arn.region or region, arn.account or account)

    def or_else(self, other: "Place") -> "Place":
        """Return this place, with what is not known of it taken from another."""
        return Place(self.region or other.region, self.account or other.account)

    def told_apart(self, arn: Arn) -> str:
        """Return what tells the name in an ARN from the same name here; empty if nothing does."""
        region = "" if _agree(arn.region, self.region) else arn.region
        account = "" if arn.account == "aws" or _agree(arn.account, self.account) else arn.account
        return "/".join(each for each in (region, account) if each)


NOWHERE = Place()
"""Of which nothing is known."""


def of_provider(props: Mapping[str, Any]) -> Place:
    """Return the place that the inputs of a provider, `pulumi:providers:aws`, say.

    The account is that of the last role it assumes, or the only one that it is allowed to work in; what its
    profile or its credentials mean is not known here. Nested inputs of a provider are JSON text.
    """
    roles = entries(parsed(get(props, "assumeRoles"))) + entries(
        parsed(get(props, "assumeRoleWithWebIdentity"))
    )
    assumed = [arns.parse_arn(role) for each in roles if isinstance(role := get(each, "roleArn"), str)]
    allowed = entries(parsed(get(props, "allowedAccountIds")))
    account = assumed[-1].account if assumed and assumed[-1] else ""
    if not account and len(allowed) == 1 and allowed[0]:
        account = str(allowed[0])
    return Place(_known(get(props, "region")), account)


def of_resource(region: Any, arn: Any) -> Place:
    """Return the place that a resource says itself, by its property `region` and by its ARN."""
    own = arns.parse_arn(_known(arn))
    return Place(_known(region) or (own.region if own else ""), own.account if own else "")


def written(value: Any) -> Iterator[Arn]:
    """Yield the ARNs in a property, or in all properties of a resource, that have an account."""
    todo: list[Any] = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            if "arn:aws" in each:
                yield from (arn for found in _ARN.findall(each) if (arn := arns.parse_arn(found)))
        elif isinstance(each, Mapping):
            todo += each.values()
        elif isinstance(each, list):
            todo += each


def commonest(found: Iterable[tuple[str, str]], *, above: float) -> Place:
    """Return the commonest of these regions and of these accounts, if its share is larger than `above`."""
    held = list(found)
    return Place(_commonest((each for each, _ in held), above), _commonest((each for _, each in held), above))


def _commonest(values: Iterable[str], above: float) -> str:
    counted = Counter(value for value in values if value)
    value, count = max(counted.items(), key=lambda pair: pair[1], default=("", 0))
    return value if count > above * counted.total() else ""


def _agree(meant: str, own: str) -> bool:
    return not meant or not own or (resource_matches(meant, own) if has_wildcard(meant) else meant == own)


def _known(value: Any) -> str:
    found = text(value)
    return found if isinstance(found, str) else ""
