"""A resource as rules see it: plain data, the same for both kinds of policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs, StackValidationArgs

from selfheal_policies.values import ABSENT, UNKNOWN, get, plain


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of the stack. Two are equal only if they are one: a URN occurs once."""

    urn: str
    type: str
    """For example "aws:sns/topic:Topic"."""
    name: str
    """Its logical name, the one in the program."""
    props: Mapping[str, Any]
    """Plain data with UNKNOWN inside: inputs when one resource is judged, outputs when a stack is."""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Property to the URNs that its value comes from. Known at preview. Empty when one resource is judged."""
    dependencies: tuple[str, ...] = ()
    parent: str | None = None

    def get(self, *path: str | int) -> Any:
        """Return what lies at a path: a value, UNKNOWN, or ABSENT."""
        return get(self.props, *path)

    def given(self, *path: str) -> Any:
        """Return what lies at a path as the program gave it.

        What a program leaves out, AWS may compute: outputs then hold UNKNOWN at preview, although nobody has
        said anything. Only what was given has an entry among the references.
        """
        value = self.get(*path)
        return ABSENT if value is UNKNOWN and path[0] not in self.references else value


def from_resource(args: ResourceValidationArgs) -> Resource:
    """Return the resource that a resource policy is asked about."""
    return Resource(args.urn, args.resource_type, args.name, plain(args.props), parent=args.opts.parent)


def from_stack(args: StackValidationArgs) -> Sequence[Resource]:
    """Return the resources that a stack policy is asked about."""
    return [_of_stack(resource) for resource in args.resources]


def _of_stack(resource: PolicyResource) -> Resource:
    references = {
        key: tuple(origin.urn for origin in origins)
        for key, origins in resource.property_dependencies.items()
    }
    props = plain(resource.props)
    if references:
        # The engine has a key for every input. What is unknown and no input, AWS will compute: the program
        # said nothing of it, and a computed default is as good as nothing.
        props = {key: value for key, value in props.items() if value is not UNKNOWN or key in references}
    return Resource(
        urn=resource.urn,
        type=resource.resource_type,
        name=resource.name,
        props=props,
        references=references,
        dependencies=tuple(origin.urn for origin in resource.dependencies),
        parent=resource.parent.urn if resource.parent else None,
    )
