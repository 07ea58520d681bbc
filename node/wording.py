"""How numbers and moments are written for the site's keeper."""

from protocol import county_time


def moment(at_ms: int) -> str:
    """Return a moment in the county's time, to the second; an empty text for none."""
    return county_time.second(at_ms) if at_ms else ""


def size(size_bytes: int) -> str:
    """Return a size in the unit that reads best."""
    amount = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
