"""The laptop's stand-in for AWS, described in README.md. Imported by `cli/` and tests only."""
