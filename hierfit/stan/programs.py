"""Template and family -> StanProgram: the text of a Stan program and the name it is built under."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class StanProgram:
    """One whole Stan program.

    Attributes:
        name: a valid file stem, such as "gaussian".
        text: the program.
    """

    name: str
    text: str

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()
