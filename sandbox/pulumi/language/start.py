"""Runs `python PATH ARGUMENTS...`, a file or a folder with `__main__.py`, and looks for garbage less often.

A program, a policy pack or a component package lives for seconds. Most of its objects come from importing the
SDK and stay: to look for garbage among them every 700 objects took an eighth of its processor time.
It runs in the program's own Python, which need not be this checkout's: standard library only.
"""

import gc
import runpy
import sys
from pathlib import Path

gc.set_threshold(20_000, 20, 100)
del sys.argv[0]
if not sys.flags.safe_path:  # as Python does, which put the folder of this file there
    sys.path[:1] = [] if Path(sys.argv[0]).is_dir() else [str(Path(sys.argv[0]).parent)]
runpy.run_path(sys.argv[0], run_name="__main__")
