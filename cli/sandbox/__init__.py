"""The sandbox's commands: `serve`, and `pulumi` against the checkout's own sandbox AWS account."""
