"""A resource as rules see it: plain data, the same for both kinds of policies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs, StackValidationArgs

from selfheal_policies import types
from selfheal_policies.places import NOWHERE, Place, of_provider
from selfheal_policies.values import UNKNOWN, get, plain


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of the stack. Two are equal only if they are one: a URN occurs once."""

    urn: str
    type: str
    """For example "aws:sns/topic:Topic"."""
    name: str
    """Its logical name, the one in the program."""
    props: Mapping[str, Any]
    """Plain data with UNKNOWN inside: inputs when one resource is judged, outputs when a stack is.

    Of a stack, no property is here that the program left out and whose value AWS has yet to choose.
    """
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Property to the URNs that its value comes from. Known at preview. Empty when one resource is judged."""
    ignores: tuple[str, ...] = ()
    """Property paths of the option `ignore_changes`, as the engine knows them. Empty when one is judged."""
    provider: str = ""
    """The URN of its provider; empty for what has none, and when one resource is judged."""
    provided: Place = NOWHERE
    """Where its provider works."""
    sandbox: bool = False
    """Whether its stack is declared a sandbox. Any other is production."""

    def get(self, *path: str | int) -> Any:
        """Return what lies at a path: a value, UNKNOWN, or ABSENT."""
        return get(self.props, *path)

    def variable(self, name: str) -> Any:
        """Return a variable of a function's environment: a value, UNKNOWN, or ABSENT."""
        return self.get("environment", "variables", name)

    @property
    def label(self) -> str:
        """What it is, and its name in the program: "alarm orders-errors"."""
        return f"{types.WORDS.get(self.type, self.type)} {self.name}"

    @property
    def stack(self) -> str:
        """The name of its stack. One process may judge several stacks."""
        return stack_of(self.urn)


def from_resource(args: ResourceValidationArgs, sandboxes: Collection[str] = ()) -> Resource:
    """Return the resource that a resource policy is asked about; `sandboxes` are names of stacks."""
    sandbox = stack_of(args.urn) in sandboxes
    return Resource(args.urn, args.resource_type, args.name, plain(args.props), sandbox=sandbox)


def from_stack(args: StackValidationArgs, sandboxes: Collection[str] = ()) -> Sequence[Resource]:
    """Return the resources that a stack policy is asked about; `sandboxes` are names of stacks.

    They are in order of their URNs: the engine's order is that of completion and changes from run to run,
    and of two things that are wrong together a finding may name the first.
    """
    in_order = sorted(args.resources, key=lambda resource: resource.urn)
    return [_of_stack(resource, sandboxes) for resource in in_order]


def stack_of(urn: str) -> str:
    """Return the name of the stack of a resource."""
    return urn.split("::", 1)[0].removeprefix("urn:pulumi:")


def _of_stack(resource: PolicyResource, sandboxes: Collection[str]) -> Resource:
    references = {
        key: tuple(origin.urn for origin in origins)
        for key, origins in resource.property_dependencies.items()
    }
    # Here every input has a key (given.py). What is unknown and no input, AWS will compute: the program said
    # nothing about it, and a computed default is as good as nothing.
    props = plain(resource.props)
    props = {key: value for key, value in props.items() if value is not UNKNOWN or key in references}
    return Resource(
        resource.urn,
        resource.resource_type,
        resource.name,
        props,
        references,
        tuple(resource.opts.ignore_changes),
        resource.provider.urn if resource.provider else "",
        of_provider(plain(resource.provider.props)) if resource.provider else NOWHERE,
        stack_of(resource.urn) in sandboxes,
    )
