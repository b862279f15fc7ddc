"""The `selfheal` command: operate the platform, alike in the sandbox and at an AWS endpoint."""
