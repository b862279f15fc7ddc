"""Every error that the sandbox raises on purpose.

    SandboxError                 anything a person can do something about
    |-- ProjectError             Pulumi.yaml or a stack file is missing or malformed
    |   `-- ConfigError          a configuration value breaks the schema of Pulumi.yaml
    |-- StateError               the state file cannot be used
    |   `-- LockedError          another run holds the stack
    |-- AssetError               a file, folder or archive of the program cannot be packed
    |-- UnsupportedError         the program asks for what the sandbox does not do
    |-- DuplicateUrnError        two resources of the program share a type, name and parent
    |-- ProtectedError           a protected resource would be deleted or replaced
    |-- ProgramError             the Pulumi program itself failed
    |-- PolicyError              a mandatory policy is violated
    |-- PolicyPackError          a policy pack does not start, is configured wrongly, or could not judge
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
    """Pulumi.yaml or a stack file is missing or malformed."""


class ConfigError(ProjectError):
    """A configuration value breaks the schema of Pulumi.yaml."""


class StateError(SandboxError):
    """The state file cannot be read, written, or belongs to another stack."""


class LockedError(StateError):
    """Another run works on the same stack right now."""


class AssetError(SandboxError):
    """An asset or archive that the program names cannot be read or packed."""


class UnsupportedError(SandboxError):
    """The program uses a part of Pulumi that the sandbox leaves out."""


class DuplicateUrnError(SandboxError):
    """Two resources of one program have the same URN."""


class ProtectedError(SandboxError):
    """A resource marked `protect` would have to be deleted."""


class ProgramError(SandboxError):
    """The Pulumi program ended with an error of its own."""


class PolicyError(SandboxError):
    """A mandatory policy is violated."""


class PolicyPackError(SandboxError):
    """A policy pack does not start, is configured wrongly, or could not judge."""


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
