"""Refusal of a configuration that names a policy which the pack does not have.

Pulumi hands the names that it does not know on to the pack, and its SDK for packs ignores them: the rule that
was meant would keep its default, and nobody would notice.
"""

import difflib
from collections.abc import Collection, Iterable
from typing import Any

import grpc
from pulumi.runtime.proto import analyzer_pb2_grpc

ALL = "all"
"""Pulumi's own name for every policy of a pack."""


def refuse_misspelt(policies: Collection[str]) -> None:
    """Have this process refuse a configuration with other names than these; call it before serving the pack.

    The SDK offers no way in, so this wraps the method `Configure` of the protocol where the pack's server is
    made. A preview or an `up` then ends before anything is judged or changed.
    """
    serve = analyzer_pb2_grpc.add_AnalyzerServicer_to_server

    def serve_checked(servicer: Any, server: Any) -> None:
        configure = servicer.Configure

        def checked(request: Any, context: grpc.ServicerContext) -> Any:
            if problem := misspelt(request.policyConfig, policies):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
            return configure(request, context)

        servicer.Configure = checked
        serve(servicer, server)

    analyzer_pb2_grpc.add_AnalyzerServicer_to_server = serve_checked


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
