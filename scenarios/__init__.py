"""What breaks, when and for how long, what must hold meanwhile, and when to stop: one file a scenario."""
