"""The laptop's AWS: a provider, an emulator and a clock. Imported by cli/ and tests only."""
