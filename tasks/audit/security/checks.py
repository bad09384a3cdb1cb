"""The checks of this area."""

from __future__ import annotations

from ..checks import Check

SECRETS = Check("audit.secrets", "security", 10, "no secret in a file that Git tracks")
IGNORED = Check("audit.env_ignored", "security", 5, ".env is not tracked and is ignored by Git")
PERMISSIONS = Check("audit.permissions", "security", 5, "keys and .env can be read by their owner only")

CHECKS = (SECRETS, IGNORED, PERMISSIONS)
