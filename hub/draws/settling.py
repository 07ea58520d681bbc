"""Files that several threads make durable, waited for together."""

import threading


class Settling:
    """Files that are being made durable, counted: of tiny ones there are tens of thousands between two commits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._fault: OSError | None = None

    def begin(self) -> None:
        """Count another file."""
        with self._changed:
            self._count += 1

    def end(self, fault: OSError | None) -> None:
        """A file is durable, or the disk has refused it."""
        with self._changed:
            self._count -= 1
            self._fault = self._fault or fault
            if not self._count:
                self._changed.notify_all()

    def wait(self) -> None:
        """Wait for all of them.

        Raises:
            OSError: the first refusal of the disk.

        """
        with self._changed:
            self._changed.wait_for(lambda: not self._count)
            if self._fault is not None:
                raise self._fault
