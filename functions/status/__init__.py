"""The status function: how a stack is now, for the page and for `selfheal watch`. It only reads."""
