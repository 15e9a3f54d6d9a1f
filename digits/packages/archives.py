"""Archives: zip files written the same way every time, and read without trusting whoever made them."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

from digits.errors import InvalidPackage
from digits.settings import MAX_PACKAGE_BYTES

MAX_MEMBERS = 64
MAX_UNPACKED_BYTES = 3 * MAX_PACKAGE_BYTES  # text shrinks to a third

_DAMAGES = (  # zipfile answers a damaged zip with whatever goes wrong first
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # NotImplementedError is one
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold: the same files give the same bytes
_ENCRYPTED = 0x1
_REMEDY = "Choose a package that Digits wrote."


def write(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of files by name, in their order; the same files always give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.create_system = 3  # Unix, wherever it is written
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read(content: bytes, *, most: int = MAX_UNPACKED_BYTES) -> dict[str, bytes]:
    """Return the files in a zip by name; nothing is written to the disk.

    Args:
        most: the bytes that all files together may unpack to, whatever the zip says of itself.

    Raises:
        InvalidPackage: it is no zip, is too large, or has a member that could do harm.
    """
    if len(content) > MAX_PACKAGE_BYTES:
        raise InvalidPackage(f"A package may have {MAX_PACKAGE_BYTES:,} bytes; this has {len(content):,}. {_REMEDY}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members)
            files: dict[str, bytes] = {}
            for member in members:
                files[member.filename] = _unpack(archive, member, most - sum(map(len, files.values())), most)
            return files
    except InvalidPackage:
        raise
    except _DAMAGES as error:
        raise InvalidPackage(f"A package must be a whole zip file; this cannot be read ({error}). {_REMEDY}") from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise InvalidPackage(f"A package may hold {MAX_MEMBERS} files; this holds {len(members):,}. {_REMEDY}")
    seen = set()
    for member in members:
        shown = ascii(member.orig_filename[:60])
        if wrong := _what_is_wrong(member):
            raise InvalidPackage(f"A package may hold plain files alone; its {shown} {wrong}. {_REMEDY}")
        if member.filename.casefold() in seen:
            raise InvalidPackage(f"A package must hold each file once; it has {shown} twice. {_REMEDY}")
        seen.add(member.filename.casefold())


def _what_is_wrong(member: zipfile.ZipInfo) -> str:
    """Say why a member is refused; "" when it is not."""
    # orig_filename is what the zip holds; zipfile itself cuts names at a zero byte and turns backslashes round.
    name = member.orig_filename
    if not name.isascii() or not name.isprintable() or "\\" in name or ":" in name:
        return "has a name with characters that are not allowed"
    if name.startswith("/") or {"", ".", ".."} & set(name.split("/")):
        return "has a path that leads elsewhere"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or no plain file"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that is not allowed"
    return ""


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, most: int) -> bytes:
    """Return a member's content, reading no more than is left of what all may have."""
    with archive.open(member) as stream:
        content = stream.read(left + 1)
    if len(content) > left:
        raise InvalidPackage(f"A package may unpack to {most:,} bytes; this unpacks to more. {_REMEDY}")
    return content
