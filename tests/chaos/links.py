"""A village's line to the county: two network namespaces and one bad link between them.

Where the kernel has netem, it is the link (``tc qdisc … netem``). Where it has not, the same is done here: the two ends
are TUN devices, and every packet between them waits in our queue for its turn on the slow line, is late, or is lost. A
cut swallows packets without a word, as a line does whose router still has power; nobody is told with a reset.

Namespaces and devices are named by this process and removed at the end, also after a failure.
"""

import asyncio
import fcntl
import os
import random
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from tests.chaos.outcomes import Skipped

RATE_KBIT = 256
"""Thousands of bits that pass each way in a second."""

ONE_WAY_MS = 150
"""Milliseconds that a packet is under way: 300 there and back."""

LOSS = 0.05
"""Share of the packets that is lost, each way."""

QUEUE_S_MAX = 2.0
"""Seconds of packets that may wait for the line; what comes on top is dropped, as a full router does."""

COUNTY_ADDRESS, VILLAGE_ADDRESS = "198.18.0.1", "198.18.0.2"
"""Addresses for measuring networks (RFC 2544); nobody outside of the two namespaces sees them."""

_PREFIX = 30
_MTU = 1_400
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_numbers = count(1)


class Line(Protocol):
    """The link while it stands: netem's, or ours."""

    def cut(self) -> None:
        """Swallow everything from now on."""

    def mend(self) -> None:
        """Let packets pass again."""


class Village:
    """The two places and the line between them."""

    def __init__(self, county: str, village: str, line: Line, kind: str) -> None:
        self.at_the_county = ("ip", "netns", "exec", county)
        self.in_the_village = ("ip", "netns", "exec", village)
        self.line = line
        self.kind = kind


@contextmanager
def village(chance: random.Random) -> Iterator[Village]:
    """Give a county and a village with a bad line between them; needs a running event loop.

    Raises:
        Skipped: this machine cannot make namespaces.

    """
    _check()
    number = next(_numbers)
    names = tuple(f"dl{os.getpid()}-{number}{end}" for end in "cv")
    with ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        line: Line
        if has_netem():
            line, kind = stack.enter_context(_netem(names)), "tc netem"
        else:
            line, kind = stack.enter_context(_tunnel(names, chance)), "TUN devices (this kernel has no netem)"
        for name, address in zip(names, (COUNTY_ADDRESS, VILLAGE_ADDRESS), strict=True):
            _ip("-n", name, "addr", "add", f"{address}/{_PREFIX}", "dev", name)
            _ip("-n", name, "link", "set", name, "mtu", str(_MTU), "up")
        yield Village(names[0], names[1], line, kind)


def _check() -> None:
    if os.geteuid() != 0:
        raise Skipped("network namespaces need root")
    if shutil.which("ip") is None:
        raise Skipped("`ip` is missing (Debian/Ubuntu: apt-get install iproute2)")
    probe = f"dl{os.getpid()}-probe"
    made = _tried("ip", "netns", "add", probe)
    if made.returncode:
        raise Skipped(f"network namespaces cannot be made here: {made.stderr.strip()}")
    _tried("ip", "netns", "del", probe)
    if not has_netem() and not Path("/dev/net/tun").exists():
        raise Skipped("the kernel has neither netem (`tc`) nor TUN devices")


def has_netem() -> bool:
    """Tell whether `tc` and the kernel have netem; tried in a namespace that is gone at once."""
    if shutil.which("tc") is None:
        return False
    probe = f"dl{os.getpid()}-netem"
    _tried("ip", "netns", "add", probe)
    try:
        return _tried("tc", "-n", probe, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms").returncode == 0
    finally:
        _tried("ip", "netns", "del", probe)


def _tried(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


def _ip(*arguments: str) -> None:
    done = _tried("ip", *arguments)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class _Netem:
    """The kernel's own bad line, the same at both ends."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._set("add", LOSS)

    def cut(self) -> None:
        self._set("change", 1.0)

    def mend(self) -> None:
        self._set("change", LOSS)

    def _set(self, what: str, loss: float) -> None:
        how = ("delay", f"{ONE_WAY_MS}ms", "loss", f"{loss:.0%}", "rate", f"{RATE_KBIT}kbit")
        for name in self._names:
            done = _tried("tc", "-n", name, "qdisc", what, "dev", name, "root", "netem", *how)
            if done.returncode:
                raise OSError(f"tc: {done.stderr.strip()}")


@contextmanager
def _netem(names: tuple[str, ...]) -> Iterator[Line]:
    near, far = names
    _ip("-n", near, "link", "add", near, "type", "veth", "peer", "name", far, "netns", far)
    yield _Netem(names)


class _Tunnel:
    """A bad line of our own between two TUN devices."""

    def __init__(self, ends: tuple[int, int], chance: random.Random) -> None:
        self._loop = asyncio.get_running_loop()
        self._chance = chance
        self._is_cut = False
        self._free_at = dict.fromkeys(ends, 0.0)
        for here, there in (ends, ends[::-1]):
            self._loop.add_reader(here, self._passing(here, there))

    def cut(self) -> None:
        self._is_cut = True

    def mend(self) -> None:
        self._is_cut = False

    def _passing(self, here: int, there: int) -> Callable[[], None]:
        def take() -> None:
            packet = os.read(here, _MTU + 100)
            now = self._loop.time()
            begins = max(now, self._free_at[here])
            if self._is_cut or begins - now > QUEUE_S_MAX:
                return
            self._free_at[here] = begins + len(packet) * 8 / (RATE_KBIT * 1000)
            if self._chance.random() >= LOSS:
                self._loop.call_at(self._free_at[here] + ONE_WAY_MS / 1000, self._give, there, packet)

        return take

    def _give(self, there: int, packet: bytes) -> None:
        # What was under way when the line was cut is lost too.
        if not self._is_cut and there in self._free_at:
            os.write(there, packet)

    def close(self) -> None:
        for end in self._free_at:
            self._loop.remove_reader(end)
            os.close(end)
        self._free_at.clear()


@contextmanager
def _tunnel(names: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    with ExitStack() as stack:
        ends = []
        for name in names:
            end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            ends.append(end)
            fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode("ascii"), _IFF_TUN | _IFF_NO_PI))
            # The device moves into its namespace; its packets keep coming to us.
            _ip("link", "set", name, "netns", name)
        near, far = ends
        line = _Tunnel((near, far), chance)
        stack.callback(line.close)
        yield line
