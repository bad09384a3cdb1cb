"""The maintenance suite. A project adopts it in its ``tasks.py``: ``from zbeam_maintenance import namespace``."""

from .namespace import namespace

__all__ = ["namespace"]
