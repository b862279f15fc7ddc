"""Every error that the sandbox raises on purpose.

    SandboxError                 anything a person can do something about
    |-- ProjectError             a project's files cannot be used
    |-- AssetError               a file, folder or archive of the program cannot be packed
    |-- UnsupportedError         the program asks for what the sandbox does not do
    |-- ProgramError             the Pulumi program failed, or a resource of it
    `-- ProviderError            the provider (or the endpoint behind it) refused
        |-- UnknownTypeError     a resource type or function that the provider has no entry for
        |-- InputError           a property, or setting of the provider, that is missing or wrong
        |   `-- UnknownPropertyError  one that the provider's entry of the type does not know
        `-- UnfinishedError      created, but not all of it could be set or read

Messages are for people: what is wrong, what is allowed, what was given, what to do next.
"""


class SandboxError(Exception):
    """Base of the tree above; its text is shown as it is, without a traceback."""


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


class UnknownTypeError(ProviderError):
    """The provider has no entry for this resource type or function."""


class InputError(ProviderError):
    """A property or setting is missing or wrong."""


class UnknownPropertyError(InputError):
    """The provider's entry for the type does not know this property."""


class UnfinishedError(ProviderError):
    """The resource exists, but not as it was asked for: what came after its creation failed."""

    def __init__(self, text: str, id_: str) -> None:
        """Tell what failed of the resource with this id."""
        super().__init__(text)
        self.id = id_
