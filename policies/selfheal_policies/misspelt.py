"""Refusal of a configuration that names a policy which the pack does not have.

Pulumi hands the names that it does not know on to the pack, and its SDK for packs ignores them: the rule that
was meant would keep its default, and nobody would notice.
"""

import difflib
from collections.abc import Collection, Iterable

from selfheal_policies import protocol

ALL = "all"
"""Pulumi's own name for every policy of a pack."""


def refuse_misspelt(policies: Collection[str]) -> None:
    """Have this process refuse a configuration with other names; call it before serving the pack."""
    protocol.before("Configure", lambda request: misspelt(request.policyConfig, policies))


def misspelt(given: Iterable[str], policies: Collection[str]) -> str:
    """Return what is wrong with the names in a configuration, for people; empty if nothing is."""
    unknown = sorted(set(given) - {*policies, ALL})
    if not unknown:
        return ""
    return (
        f"the configuration names {', '.join(_described(name, policies) for name in unknown)}. Correct the "
        "names in the file of --policy-pack-config; docs/policies.md lists the policies of this pack."
    )


def _described(name: str, policies: Collection[str]) -> str:
    close = difflib.get_close_matches(name, policies, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"{name}, which is no policy of this pack{hint}"
