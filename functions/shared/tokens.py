"""Tokens of callers, and their names: what an API's component and its authorizer both must know."""

import re
from hashlib import sha256

TOKEN = re.compile(r"[!-~]{32,1024}")
"""A token: visible ASCII, which fits a header, and too long to guess."""

CALLER = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A caller's name. It fits a log line, a message attribute and a key."""


def digest(token: str) -> str:
    """Return what is kept instead of a token: its SHA-256, as 64 hexadecimal digits."""
    return sha256(token.encode()).hexdigest()
