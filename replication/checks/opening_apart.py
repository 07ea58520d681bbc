"""Files opened by a program apart, which is ended when one file keeps it for too long or fills the memory.

The libraries that decode PDF and images are written in C, take files that strangers made, and cannot be interrupted: a
page of a kilobyte may unpack to terabytes, and a crash ends whatever runs in the same process. One such program serves
a whole run of the checks; starting it takes a third of a second, a task 0.2 ms.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from protocol.wording import Text
from replication.checks.opened import Opened, Openness
from replication.checks.opening_worker import OpeningOutcome, OpeningTask

OPEN_S: Final = 60.0
"""Seconds that opening one file may take."""

MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Bytes of memory that the program may have resident: sixteen times the pixels of one page that it decodes."""

WATCH_S: Final = 0.05
"""Seconds between two looks at its memory; a file that is opened sooner costs no look."""

END_S: Final = 10.0
"""Seconds that the program may take to end when there is no more to be done, before it is killed."""

ANSWER_BYTES_MAX: Final = 64 * 1024
"""Bytes of one answer that are read."""

_COMMAND: Final = ("-P", "-m", "replication.checks.opening_worker")


class OpeningFailed(Exception):
    """The program ended instead of answering; the text says why."""

    def __init__(self, why: Text, *, is_too_much: bool) -> None:
        super().__init__(why.en)
        self.why = why
        self.is_too_much = is_too_much
        """It was ended by us, because the file took too long or too much memory."""


class OpeningApart:
    """The program, started with the first task and again after it was ended."""

    def __init__(self, *, open_s: float = OPEN_S, memory_bytes: int = MEMORY_BYTES_MAX) -> None:
        self.open_s = open_s
        self.memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self, format_name: str, path: Path) -> Opened:
        """Open a file; one that ends the program, or keeps it for too long, is told as such."""
        try:
            outcome = self._asked(OpeningTask(format=format_name, path=str(path)))
        except OpeningFailed as failed:
            openness = Openness.TOO_LARGE if failed.is_too_much else Openness.CRASHED
            return Opened(openness=openness, evidence=failed.why)
        if outcome.opened is None:
            told = outcome.fault.replace(str(path), path.name)
            return Opened(
                openness=Openness.CRASHED,
                evidence=Text(zh=f"打开时出错：{told}", en=f"opening it went wrong: {told}"),
            )
        return outcome.opened

    def disprove(self, path: Path) -> tuple[str, Text | None]:
        """Return as ``pdfa_disproof``.

        Raises:
            OpeningFailed: it did not come to an end, or went wrong.

        """
        outcome = self._asked(OpeningTask(format="PDF", path=str(path), is_disproof=True))
        if outcome.fault:
            raise OpeningFailed(Text(zh=outcome.fault, en=outcome.fault), is_too_much=False)
        return outcome.claim, outcome.against

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _asked(self, task: OpeningTask) -> OpeningOutcome:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        answered, ended_for = threading.Event(), []

        def watch() -> None:
            ended_for.extend(self._watched(process, answered))

        watching = threading.Thread(target=watch, name="opening apart", daemon=True)
        watching.start()
        try:
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline(ANSWER_BYTES_MAX)
        except OSError:
            # It is gone; readline says the same by an empty line.
            answer = b""
        finally:
            answered.set()
            watching.join()
        if not answer.endswith(b"\n"):
            raise self._ended(process, ended_for)
        if ended_for:
            # It was killed in the moment of its answer, which holds; the next file gets another program.
            self._ended(process, ended_for)
        return msgspec.json.decode(answer, type=OpeningOutcome)

    def _watched(self, process: subprocess.Popen[bytes], answered: threading.Event) -> list[Text]:
        """End the program if a file takes too long or too much, and return why."""
        began = time.monotonic()
        while not answered.wait(WATCH_S):
            why = (
                self._too_long()
                if time.monotonic() - began >= self.open_s
                else self._too_much()
                if _resident_bytes(process.pid) > self.memory_bytes
                else None
            )
            if why is not None:
                process.kill()
                return [why]
        return []

    def _too_long(self) -> Text:
        return Text(
            zh=f"{self.open_s:g} 秒内没有打开完，已停止（疑为压缩炸弹，或文件过大）",
            en=f"not opened within {self.open_s:g} s and given up: a bomb, or too large",
        )

    def _too_much(self) -> Text:
        size = self.memory_bytes // 2**20
        return Text(
            zh=f"打开它所需内存超过 {size} MB，已停止（疑为压缩炸弹，或文件过大）",
            en=f"opening it takes more than {size} MB of memory and was given up: a bomb, or too large",
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                (sys.executable, *_COMMAND),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        return self._process

    def _ended(self, process: subprocess.Popen[bytes], ended_for: list[Text]) -> OpeningFailed:
        process.kill()
        code = process.wait()
        self._process = None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    # What was not written to a program that is gone.
                    continue
        if ended_for:
            return OpeningFailed(ended_for[0], is_too_much=True)
        why = Text(zh=f"打开它的程序异常结束（{code}）", en=f"the program that opened it came to a bad end ({code})")
        return OpeningFailed(why, is_too_much=False)


def _resident_bytes(process_id: int) -> int:
    """Return the memory that a program has; 0 for one that is gone, or where nobody can say."""
    try:
        import psutil  # noqa: PLC0415 - comes with the libraries that are watched here
    except ImportError:
        return 0
    try:
        return int(psutil.Process(process_id).memory_info().rss)
    except psutil.Error:
        return 0
