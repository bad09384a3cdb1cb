"""Small real packages: wheels and source archives that installers take, the same bytes at every call."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold."""

_BACKEND = '''"""Builds the wheel that lies beside it."""

import pathlib
import shutil


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    {failure}(wheel,) = pathlib.Path(__file__).parent.glob("*.whl")
    shutil.copy(wheel, wheel_directory)
    return wheel.name
'''

_FAILURE = 'raise SystemExit("error: no compiler was found")\n    '


def wheel(
    name: str,
    version: str,
    *,
    requires: Iterable[str] = (),
    modules: Mapping[str, str] | None = None,
    requires_python: str | None = None,
) -> tuple[str, bytes]:
    """Return the file name and the content of a wheel of pure Python.

    Args:
        name: of the package.
        version: of it.
        requires: its requirements, as a requirements file has them.
        modules: its files by path; by default a module of its name with its version.
        requires_python: the versions of Python that it runs on.
    """
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    metadata += [f"Requires-Python: {requires_python}\n"] if requires_python else []
    metadata += [f"Requires-Dist: {requirement}\n" for requirement in requires]
    files = {
        **({f"{stem}.py": f"__version__ = {version!r}\n"} if modules is None else modules),
        f"{info}/METADATA": "".join(metadata),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{info}/RECORD"
    files[record] = "".join(f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    files[record] += f"{record},,\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), text)
    return f"{stem}-{version}-py3-none-any.whl", content.getvalue()


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def sdist(name: str, version: str, *, breaks: bool = False) -> tuple[str, bytes]:
    """Return the file name and the content of a source archive, whose build needs nothing and may fail."""
    stem = f"{name.replace('-', '_')}-{version}"
    built, content = wheel(name, version)
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {
        "pyproject.toml": project.encode(),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        "backend.py": _BACKEND.format(failure=_FAILURE if breaks else "").encode(),
        built: content,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return f"{stem}.tar.gz", gzip.compress(packed.getvalue(), mtime=0)


def unpack(content: bytes, packages: Path) -> None:
    """Install a wheel into a folder of packages, as an installer does that is asked for it by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(packages)  # noqa: S202 - made above
        (record,) = (path for path in archive.namelist() if path.endswith(".dist-info/RECORD"))
    info = Path(record).parent
    added = {"INSTALLER": "demo\n", "REQUESTED": ""}
    for file, text in added.items():
        (packages / info / file).write_text(text, encoding="ascii")
    with (packages / record).open("a", encoding="utf-8") as lines:
        lines.writelines(f"{info}/{file},{_digest(text)},{len(text)}\n" for file, text in added.items())
