"""The laptop's AWS: an engine, a provider, an emulator and a clock. Imported by cli/ and tests only."""
