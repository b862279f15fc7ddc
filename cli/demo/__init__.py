"""The demonstration: a failure injected, found, healed and proven healed, with a report of it."""
