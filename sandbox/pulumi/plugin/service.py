"""Implements Pulumi's provider protocol on the table of `sandbox.provider`."""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2, struct_pb2

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import InputError, ProviderError, SandboxError, UnfinishedError
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.provider.provider import Diff
from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import decode, encode, is_unknown
from selfheal.sandbox.pulumi.plugin import configuration
from selfheal.sandbox.pulumi.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

_Changes = provider_pb2.DiffResponse.DiffChanges


class Service(provider_pb2_grpc.ResourceProviderServicer):
    """The sandbox's AWS provider, as the engine calls it."""

    def __init__(
        self,
        version: str,
        environment: Mapping[str, str] = os.environ,
        folder: Path | None = None,
        provider: Callable[[Clients], AwsProvider] = AwsProvider,
    ) -> None:
        """Serve as `version`. `folder` is the program's, in which the engine starts plugins."""
        self._version = version
        self._environment = environment
        self._folder = folder or Path.cwd()
        self._made = provider
        self._configured: AwsProvider | None = None

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        # The engine unwraps secrets in inputs, and wraps the properties of the same name in outputs.
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        return plugin_pb2.PluginInfo(version=self._version)

    def GetMapping(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        return provider_pb2.GetMappingsResponse()

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        from selfheal.sandbox.pulumi.plugin import schema  # noqa: PLC0415  (imports the AWS SDK for Pulumi: a second, rarely)

        return provider_pb2.GetSchemaResponse(schema=schema.text(self._version))

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        # Operations in progress are completed, so that the state records them.
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        settings, _ = decode(request.news, self._folder)
        # A complete check, unless a value is unknown, so that errors are reported before anything else.
        if is_unknown(settings):
            failures = _failures(lambda: configuration.check(settings))
        else:
            failures = _failures(lambda: configuration.read(settings, self._environment))
        # Returned unchanged, because secrets are still wrapped here. The region is added, as by the AWS
        # provider: otherwise resources in another region would appear to be deleted.
        region = configuration.region_of(settings, self._environment)
        inputs = _completed(request.news, settings, {"region": region} if region else {})
        return provider_pb2.CheckResponse(inputs=inputs, failures=failures)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        old, new = (decode(struct, self._folder)[0] for struct in (request.old_inputs, request.news))
        differs = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        # Another region means other resources. The provider of `pulumi import` is not checked, and has none.
        moved = [key for key in differs if key == "region" and old.get(key)]
        return _difference(Diff(differs, moved))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        settings, _ = decode(request.args, self._folder)
        with _errors_reported(context):
            self._configured = self._made(configuration.read(settings, self._environment))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        type_, name = _of(request.urn)
        news, _ = decode(request.news, self._folder)
        olds, _ = decode(request.olds, self._folder)
        checked: dict[str, Any] = {}
        with _errors_reported(context):
            failures = _failures(
                lambda: checked.update(
                    self._provider.check(
                        type_, name, news, olds or None, request.randomSeed.hex(), proposed=_proposed(request)
                    )
                )
            )
        return provider_pb2.CheckResponse(inputs=_completed(request.news, news, checked), failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        old, new = (decode(struct, self._folder)[0] for struct in (request.old_inputs, request.news))
        with _errors_reported(context):
            return _difference(self._provider.diff(_of(request.urn)[0], old, new))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        type_, _ = _of(request.urn)
        inputs, _ = decode(request.properties, self._folder)
        with _errors_reported(context):
            if request.preview:
                return provider_pb2.CreateResponse(
                    properties=_struct(self._provider.preview(type_, inputs, None), type_)
                )
            try:
                id_, outputs = self._provider.create(type_, inputs)
            except UnfinishedError as error:
                self._report_unfinished(type_, inputs, error, context)
            return provider_pb2.CreateResponse(id=id_, properties=_struct(outputs, type_))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        type_, _ = _of(request.urn)
        state, _ = decode(request.properties, self._folder)
        inputs, _ = decode(request.inputs, self._folder)
        with _errors_reported(context):
            if inputs:
                found = self._provider.read(type_, request.id, inputs)
                # Inputs that cannot be read, such as a function's code, keep their recorded value.
                result = (request.id, {**inputs, **found[0]}, found[1]) if found else None
            else:  # `pulumi import`, the option `import_`, or `.get`
                result = self._provider.lookup(type_, request.id, state)
        if result is None:
            return provider_pb2.ReadResponse()  # without an id: it does not exist
        id_, live, outputs = result
        return provider_pb2.ReadResponse(
            id=id_, inputs=_struct(live, type_), properties=_struct(outputs, type_)
        )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        type_, _ = _of(request.urn)
        state, _ = decode(request.olds, self._folder)
        inputs, _ = decode(request.old_inputs, self._folder)
        news, _ = decode(request.news, self._folder)
        with _errors_reported(context):
            if request.preview:
                outputs = self._provider.preview(type_, news, state)
            else:
                # The recorded state, because a creation that failed halfway left it different from the
                # inputs.
                old = {key: state.get(key, value) for key, value in inputs.items()}
                outputs = self._provider.update(type_, request.id, old, news)
        return provider_pb2.UpdateResponse(properties=_struct(outputs, type_))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        inputs, _ = decode(request.old_inputs, self._folder)
        state, _ = decode(request.properties, self._folder)
        with _errors_reported(context):
            self._provider.delete(_of(request.urn)[0], request.id, inputs or state)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        args, _ = decode(request.args, self._folder)
        result: dict[str, Any] = {}
        with _errors_reported(context):
            failures = _failures(lambda: result.update(self._provider.invoke(request.tok, args)))
        return provider_pb2.InvokeResponse(**{"return": _struct(result)}, failures=failures)

    def Parameterize(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, D102, N802
        _refuse(context, "the AWS provider takes no parameters: run `pulumi package add aws` without any.")

    def Construct(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        _refuse(context, f"the AWS provider has no component {request.type}.")

    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: D102, N802
        _refuse(context, f"the AWS provider has no method {request.tok}.")

    @property
    def _provider(self) -> AwsProvider:
        if self._configured is None:
            raise ProviderError("the engine asked before it configured the AWS provider: run it again.")
        return self._configured

    def _report_unfinished(
        self, type_: str, inputs: dict[str, Any], error: UnfinishedError, context: grpc.ServicerContext
    ) -> NoReturn:
        """End the call so that the state records the resource, which the next `up` then completes."""
        try:
            found = self._provider.read(type_, error.id, inputs)
        except ProviderError:
            found = None
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.id,
            properties=_struct(found[1] if found else inputs, type_),
            inputs=_struct(inputs, type_),
            reasons=[str(error)],
        )
        packed = any_pb2.Any()
        packed.Pack(detail)
        status = status_pb2.Status(
            code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[packed]
        )
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _of(urn: str) -> tuple[str, str]:
    """Return the type and the name in a URN: `urn:pulumi:stack::project::parent$type::name`."""
    _, _, types, name = urn.split("::", 3)
    return types.rsplit("$", 1)[-1], name


def _proposed(request: Any) -> str | None:
    """Return the name that `pulumi:autonaming` proposes, or None if it is not configured."""
    return request.autonaming.proposed_name if request.HasField("autonaming") else None


def _struct(properties: Mapping[str, Any], type_: str | None = None) -> struct_pb2.Struct:
    """Return the Struct of properties; of a resource of this type, with its secrets marked as such."""
    secrets = TABLE[type_].secret if type_ else ()
    return encode({key: value for key, value in properties.items() if value is not None}, secrets, blobs=True)


def _completed(
    given: struct_pb2.Struct, news: Mapping[str, Any], checked: Mapping[str, Any]
) -> struct_pb2.Struct:
    """Return the given inputs unchanged, with those the check added: archives keep their content."""
    result = struct_pb2.Struct()
    result.CopyFrom(given)
    result.MergeFrom(_struct({key: value for key, value in checked.items() if key not in news}))
    return result


def _difference(diff: Diff) -> Any:
    return provider_pb2.DiffResponse(
        changes=_Changes.DIFF_SOME if diff.changed else _Changes.DIFF_NONE,
        diffs=diff.changed,
        replaces=diff.replace,
        deleteBeforeReplace=diff.delete_before_replace,
    )


def _failures(check: Callable[[], object]) -> list[Any]:
    """Return the InputError of a check as the protocol's failures.

    The text names the property. The failure's field for it stays empty, because the engine would print the
    value, which may be a secret.
    """
    try:
        check()
    except InputError as error:
        return [provider_pb2.CheckFailure(reason=str(error))]
    return []


@contextmanager
def _errors_reported(context: grpc.ServicerContext) -> Generator[None]:
    """End the call with the text of a SandboxError."""
    try:
        yield
    except SandboxError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _refuse(context: grpc.ServicerContext, text: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
