"""A Python language host, for a Pulumi CLI that was built with Go, which comes without one."""
