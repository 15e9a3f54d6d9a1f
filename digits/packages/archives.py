"""Archives: zip files that are written reproducibly and read without trusting their author."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

from digits.errors import InvalidPackage
from digits.settings import MAX_PACKAGE_BYTES

MAX_MEMBERS = 64
MAX_UNPACKED_BYTES = 3 * MAX_PACKAGE_BYTES  # text compresses to about a third of its size

_READ_ERRORS = (  # zipfile raises any of these for a damaged zip
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # the base class of NotImplementedError
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date in a zip; a fixed date makes the bytes reproducible
_ENCRYPTED = 0x1
_ADVICE = "Choose a package that Digits wrote."


def write(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of some files. The same files in the same order always give the same bytes.

    >>> read(write({"a.txt": b"hello"}))
    {'a.txt': b'hello'}

    Args:
        files: each file's content by its name, in the order in which the zip lists them.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.create_system = 3  # Unix, on every machine
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read(content: bytes, *, max_bytes: int = MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """Unpack a zip in memory; nothing is written to disk.

    Args:
        content: the zip, at most `MAX_PACKAGE_BYTES` bytes.
        max_bytes: the limit on the unpacked size of all files together. It holds even if the zip states false sizes.

    Returns:
        Each file's content by its name, in the zip's order.

    Raises:
        InvalidPackage: `content` is not a zip, is too large, or has an unsafe member.
    """
    if len(content) > MAX_PACKAGE_BYTES:
        raise InvalidPackage(
            f"A package may have at most {MAX_PACKAGE_BYTES:,} bytes; this one has {len(content):,}. {_ADVICE}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members)
            files: dict[str, bytes] = {}
            for member in members:
                remaining = max_bytes - sum(map(len, files.values()))
                files[member.filename] = _unpack(archive, member, remaining, max_bytes)
            return files
    except InvalidPackage:
        raise
    except _READ_ERRORS as error:
        raise InvalidPackage(
            f"A package must be a whole zip file; this one cannot be read ({error}). {_ADVICE}"
        ) from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise InvalidPackage(
            f"A package may contain at most {MAX_MEMBERS} files; this one contains {len(members):,}. {_ADVICE}"
        )
    seen = set()
    for member in members:
        shown = ascii(member.orig_filename[:60])
        if problem := _find_problem(member):
            raise InvalidPackage(f"A package may contain only plain files; its {shown} {problem}. {_ADVICE}")
        # Names that differ only in case are one file on Windows and macOS.
        if member.filename.casefold() in seen:
            raise InvalidPackage(f"A package must contain each file once; it contains {shown} twice. {_ADVICE}")
        seen.add(member.filename.casefold())


def _find_problem(member: zipfile.ZipInfo) -> str:
    """Return why a member is refused, or "" if it is accepted."""
    # orig_filename is the name as stored; zipfile cuts `filename` at a zero byte and may replace backslashes.
    name = member.orig_filename
    if not name.isascii() or not name.isprintable() or "\\" in name or ":" in name:
        return "has a name with characters that are not allowed"
    if name.startswith("/") or {"", ".", ".."} & set(name.split("/")):
        return "has an unsafe path"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is not a regular file"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "uses a compression method that is not allowed"
    return ""


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, remaining: int, max_bytes: int) -> bytes:
    """Return a member's content; stop reading once it exceeds what remains of `max_bytes`."""
    with archive.open(member) as stream:
        content = stream.read(remaining + 1)
    if len(content) > remaining:
        raise InvalidPackage(f"A package may unpack to at most {max_bytes:,} bytes; this one is larger. {_ADVICE}")
    return content
