"""The scenarios that ship, run in the sandbox: verdicts and figures."""
