"""The operator's commands, which work alike on AWS and on the sandbox: incidents, requests, the mode."""
