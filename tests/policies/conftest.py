"""The pack is a project of its own: its package lies beside its `__main__.py`, not under the root."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "policies"))
