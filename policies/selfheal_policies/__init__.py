"""A CrossGuard policy pack that refuses unsafe remediation: automation that may make an incident worse."""
