"""Where Invoke starts. Read on in ``tasks/namespace.py``.

Invoke loads this file under the name ``tasks`` and so hides the folder of that name; ``__path__`` makes
this module its package all the same.
"""

from pathlib import Path

__path__ = [str(Path(__file__).with_suffix(""))]

from tasks.namespace import namespace

__all__ = ["namespace"]
