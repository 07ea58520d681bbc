"""Where the files of certificates lie: each under its serial, in one folder."""

from pathlib import Path


def pdf_path(folder: Path, serial: str) -> Path:
    """Return where the PDF is that is printed."""
    return folder / f"{serial}.pdf"


def prepared_path(folder: Path, serial: str) -> Path:
    """Return where the PDF is that waits for its seal."""
    return folder / f"{serial}.prepared"


def place_path(folder: Path, serial: str) -> Path:
    """Return where it is written down what the seal signs, and where it goes."""
    return folder / f"{serial}.place"


def tidy(folder: Path, serial: str) -> None:
    """Remove what was kept until the seal came."""
    prepared_path(folder, serial).unlink(missing_ok=True)
    place_path(folder, serial).unlink(missing_ok=True)


def remove(folder: Path, serial: str) -> None:
    """Remove everything of a certificate."""
    pdf_path(folder, serial).unlink(missing_ok=True)
    tidy(folder, serial)
