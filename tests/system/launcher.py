"""A process that has imported both programs and becomes one of them by a fork, for ``launching``.

Nothing opens at import, so what a fork starts with is what a new process would have after its first second. Each launch
is one message on a socket, with three files beside it: where the program writes its output and its errors, and where
its process id and its exit code are told. The launcher ends when nobody holds the other end of the socket.
"""

import contextlib
import gc
import importlib
import os
import runpy
import select
import socket
import sys
from typing import Final

import msgspec

MODULES: Final = ("hub.__main__", "hub.web.serving", "node.__main__")
"""What is imported beforehand."""

MESSAGE_BYTES_MAX: Final = 256 * 1024
"""Bytes of one launch: a command line and an environment."""

FILES: Final = 3
"""Files that come with one: output, errors, and where its fate is told."""

DESCRIPTORS: Final = 4096
"""A new program has no other files open than its three."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """One program to be started."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str


def main() -> None:
    """Launch what is asked for until nobody can ask any more; a program goes on from here in a process of its own."""
    for module in MODULES:
        importlib.import_module(module)
        # A program's own module is run and not imported, as from the command line.
        if module.endswith("__main__"):
            del sys.modules[module]
    # What is imported stays; to look through it for waste would only make every program copy it.
    gc.collect()
    gc.freeze()
    launch = _launches(socket.socket(fileno=int(sys.argv[1])))
    if launch is not None:
        sys.argv = [launch.module, *launch.arguments]
        sys.path[0] = launch.folder
        runpy.run_module(launch.module, run_name="__main__", alter_sys=True)


def _launches(asked: socket.socket) -> Launch | None:
    """Return in each new process what it is to be, and nothing in the launcher, at its end."""
    fates: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select.select([asked.fileno(), *fates], [], [])
        for ended in (one for one in ready if one in fates):
            process, told = fates.pop(ended)
            os.close(ended)
            _, status = os.waitpid(process, 0)
            # Nobody may wait for it any more.
            with contextlib.suppress(BrokenPipeError):
                os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(told)
        if asked.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(asked, MESSAGE_BYTES_MAX, FILES)
        if not message:
            return None
        process = os.fork()
        if process == 0:
            launch = msgspec.json.decode(message, type=Launch)
            _take_over(launch, *files[:2])
            return launch
        output, errors, told = files
        os.close(output)
        os.close(errors)
        os.write(told, f"{process}\n".encode())
        fates[os.pidfd_open(process)] = (process, told)


def _take_over(launch: Launch, output: int, errors: int) -> None:
    """Have this process look as a new one does: its own files, its own folder, its own environment."""
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.closerange(3, DESCRIPTORS)
    os.chdir(launch.folder)
    os.environ.clear()
    os.environ.update(launch.environment)


if __name__ == "__main__":
    main()
