"""The Python language host where the Pulumi CLI came without one: `pulumi-language-python`.

The module proxy of Go serves the CLI and the SDK's own executor of programs, but not the official host.
"""
