"""A home folder claimed by one running program: a second one is refused, and a crash leaves no claim behind.

The claim is the exclusive lock of an empty SQLite file. The operating system gives it up when the process ends, however
it ends, and it works the same on Linux and Windows.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.errors import BadSetting
from protocol.wording import Text

CLAIM_NAME = "running.lock"


@contextmanager
def claimed(home: Path, program: str, name: str = CLAIM_NAME) -> Iterator[None]:
    """Hold ``home`` for this process; a claim under another name is another claim.

    Raises:
        BadSetting: another process holds it, or the folder cannot be written.

    """
    try:
        # Checked for threads by nobody: a daemon may close its claim from another thread than it opened it in.
        connection = sqlite3.connect(home / name, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise _unusable(home, error) from error
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise _unusable(home, error) from error
            raise BadSetting(
                Text(
                    zh=f"{program} 已在此目录运行：{home}",
                    en=f"another {program} runs on this home: {home}",
                ),
                Text(
                    zh="同一目录只能运行一个；请先停止另一个，或用 --home 指定别的目录。",
                    en="One home, one program: stop the other one, or name another folder with --home.",
                ),
            ) from error
        yield
    finally:
        connection.close()


def _unusable(home: Path, error: sqlite3.OperationalError) -> BadSetting:
    return BadSetting(
        Text(zh=f"无法使用目录 {home}：{error}", en=f"cannot use the home {home}: {error}"),
        Text(
            zh="请检查目录是否存在、是否可写；首次使用请先运行 init。",
            en="See that the folder exists and can be written; run init first.",
        ),
    )
