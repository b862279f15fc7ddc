"""What this pack looks at in Pulumi's protocol for packs before the SDK does.

The SDK offers no way in, so methods are wrapped where the pack's server is made.
"""

from collections.abc import Callable
from typing import Any

import grpc
from pulumi.runtime.proto import analyzer_pb2_grpc

Look = Callable[[Any], str]
"""Looks at a request, and returns why it is refused, for people; empty if it is not."""


def before(method: str, look: Look) -> None:
    """Have this process look at every request of a method; call it before serving the pack.

    What is refused ends a preview or an `up` before anything is judged or changed.
    """
    serve = analyzer_pb2_grpc.add_AnalyzerServicer_to_server

    def serve_looking(servicer: Any, server: Any) -> None:
        answer = getattr(servicer, method)

        def looking(request: Any, context: grpc.ServicerContext) -> Any:
            if problem := look(request):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
            return answer(request, context)

        setattr(servicer, method, looking)
        serve(servicer, server)

    analyzer_pb2_grpc.add_AnalyzerServicer_to_server = serve_looking
