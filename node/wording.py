"""How numbers and moments are written for the site's keeper."""

import datetime


def moment(at_ms: int) -> str:
    """Return a moment in the machine's own time, to the second; an empty text for none."""
    if not at_ms:
        return ""
    return datetime.datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(size_bytes: int) -> str:
    """Return a size in the unit that reads best."""
    amount = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
