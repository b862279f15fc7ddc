"""Self-healing serverless services on AWS: components, their functions, the command line, the sandbox.

In the checkout these are the folders beside this one; a wheel has them inside. One name serves both, and in
Lambda too: `from selfheal.components.healing.healer import Healer`.
"""

from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
"""Where Python finds `selfheal`: the checkout, or site-packages."""

__path__.append(str(SOURCE))
