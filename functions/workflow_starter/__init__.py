"""The consumer of a `RetryWorkflow`: runs its workflow for each message, and waits for the end."""
