"""A Python language host, used if the Pulumi CLI was built with Go.

The Go module proxy has the CLI and Pulumi's executor of programs, but not the official language host.
"""
