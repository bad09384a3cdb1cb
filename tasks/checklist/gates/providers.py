"""Do the providers answer?"""

from __future__ import annotations

from ...core.report import Status
from ..gate import Gate
from ..taken import Taken

TAKEN = Taken(Gate("providers", "every provider answers"), "daily.health-check", {"providers.answer": Status.CRITICAL})
"""A slow answer is an answer."""
