"""What runs inside the program's own process: `python -m sandbox.engine.program`.

The path is that of the SDK's own executor (`pulumi/automation/_server.py`): the SDK is connected to the
monitor, then the project folder is run as `__main__` inside a stack. It ends with 0, or with 1 after
logging why.
"""

import argparse
import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc
from pulumi import log
from pulumi.errors import RunError
from pulumi.runtime import reset_options, run_in_stack, set_all_config

IMPORT_PATH_VARIABLE = "SELFHEAL_SANDBOX_PATH"
"""Where this package was found; taken off the import path, so that the program sees its own folder only."""


def main(argv: list[str]) -> int:
    """Run the program in the working directory; returns the exit code."""
    args = _arguments(argv)
    folder = os.getcwd()  # noqa: PTH109  (runpy and sys.path take text)
    _restore_import_path(folder)
    logging.getLogger("asyncio").setLevel(
        logging.CRITICAL
    )  # as the real executor: failed tasks are reported once
    reset_options(
        project=args.project,
        stack=args.stack,
        root_directory=folder,
        parallel=args.parallel,
        engine_address=args.address,
        monitor_address=args.address,
        preview=args.dry_run,
        organization="organization",
    )
    set_all_config(json.loads(os.environ["PULUMI_CONFIG"]), [])
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=args.parallel * 4))
    loop.set_exception_handler(_on_loop_error)
    try:
        loop.run_until_complete(run_in_stack(lambda: _run_folder(folder)))
    except RunError as error:
        log.error(str(error))
        return 1
    except grpc.RpcError as error:
        if getattr(error, "code", lambda: None)() != grpc.StatusCode.UNAVAILABLE:
            log.error(f"RPC error: {error}")
        return 1
    except SystemExit as error:
        return _exit_code(error)
    except BaseException as error:  # noqa: BLE001  (everything a program can raise is shown to its author)
        log.error(_explain(error, folder))
        return 1
    finally:
        _end(loop)
    return 0


def _arguments(argv: list[str]) -> Any:
    parser = argparse.ArgumentParser()
    parser.add_argument("--project", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args(argv)


def _restore_import_path(folder: str) -> None:
    ours = os.environ.pop(IMPORT_PATH_VARIABLE, "")
    sys.path[:] = [folder, *(entry for entry in sys.path if entry not in {"", folder, ours})]
    sys.argv[:] = [folder]


def _run_folder(folder: str) -> None:
    runpy.run_path(folder, run_name="__main__")


def _on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if isinstance(context.get("exception"), grpc.RpcError):
        loop.stop()
    else:
        loop.default_exception_handler(context)


def _exit_code(error: SystemExit) -> int:
    if error.code is None or error.code == 0:
        return 0
    log.error(f"The program called sys.exit({error.code!r}).")
    return 1


def _explain(error: BaseException, folder: str) -> str:
    """Return the traceback from the program's first own line on: what lies above is the SDK's machinery."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [index for index, frame in enumerate(frames) if _is_own(frame.filename, folder)]
    shown = "".join(traceback.format_list(frames[own[0] :])) if own else ""
    text = "".join(traceback.format_exception_only(error)).strip()
    return f"{text}\n{shown}".rstrip()


def _is_own(filename: str, folder: str) -> bool:
    return filename.startswith(folder) and "site-packages" not in filename


def _end(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            loop.run_until_complete(task)
    loop.close()
    sys.stdout.flush()
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
