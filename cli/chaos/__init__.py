"""`selfheal chaos`: break something on purpose, for a stated time, and see whether a hypothesis holds."""
