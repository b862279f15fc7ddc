"""Code that is part of every function's package."""
