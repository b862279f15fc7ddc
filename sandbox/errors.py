"""The errors that the sandbox raises.

    SandboxError                 an error that a person can resolve
    |-- ProjectError             a project's files cannot be used
    |-- AssetError               a file, folder or archive of the program cannot be packed
    |-- UnsupportedError         the program asks for what the sandbox does not do
    |-- ProgramError             the Pulumi program failed, or a resource of it
    `-- ProviderError            the provider (or the endpoint behind it) refused
        |-- InputError           a property, or a setting of the provider, is unknown, missing or wrong
        `-- UnfinishedError      created, but not completely

Messages say what is wrong, what is allowed, what was given and what to do next.
"""


class SandboxError(Exception):
    """Base class; shown without a traceback."""


class ProjectError(SandboxError):
    """Pulumi.yaml or a stack file is missing, malformed, or holds what cannot be read here."""


class AssetError(SandboxError):
    """An asset or archive that the program names cannot be read or packed."""


class UnsupportedError(SandboxError):
    """The program uses a part of Pulumi that the sandbox leaves out."""


class ProgramError(SandboxError):
    """The Pulumi program failed, or a resource of it, which the text names."""


class ProviderError(SandboxError):
    """The provider could not do what it was asked; the text says why."""


class InputError(ProviderError):
    """A property or setting is unknown, missing or wrong."""


class UnfinishedError(ProviderError):
    """The resource was created, but a later step failed."""

    def __init__(self, text: str, id_: str) -> None:
        """Keep the id of the resource, with what failed."""
        super().__init__(text)
        self.id = id_
