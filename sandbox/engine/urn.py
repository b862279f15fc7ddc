"""Uniform resource names as the real engine makes them."""

STACK_TYPE = "pulumi:pulumi:Stack"
"""Type of the root component that the SDK registers around every program."""


def make(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Return the URN of a resource; `parent` is its parent's URN, or "" for none.

    All ancestor types are chained with `$`, except the stack's own, which is left out.
    """
    chain = type_
    if parent:
        ancestors = qualified_type(parent)
        if ancestors != STACK_TYPE:
            chain = f"{ancestors}${type_}"
    return f"urn:pulumi:{stack}::{project}::{chain}::{name}"


def qualified_type(urn: str) -> str:
    """Return the chain of types in a URN, ancestors first, joined with `$`."""
    return urn.split("::", 3)[2]


def root_of(urn: str) -> tuple[str, str]:
    """Return the stack and the project in a URN."""
    head, project, _ = urn.split("::", 2)
    return head.removeprefix("urn:pulumi:"), project


def name_of(urn: str) -> str:
    """Return the logical name in a URN (it may itself hold `::`)."""
    return urn.split("::", 3)[3]


def label(type_: str, name: str) -> str:
    """Return what people are shown for a resource: its type and logical name."""
    return f"{type_} '{name}'"
