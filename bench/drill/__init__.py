"""Drills of the orders service in the sandbox: what breaks, what must hold, and the figures of both."""
