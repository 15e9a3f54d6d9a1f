"""Archives: zip files that are written reproducibly and read without trusting their author.

A package is sealed. Its member `manifest.json` states its format and the SHA-256 digest of every other member, and the
zip's comment ends with the digest of every byte before it. So any change is noticed, also one in the zip's own headers.
The digests find damage. They prove no author: whoever changes a package can seal it again.
"""

import hashlib
import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from digits.errors import InvalidPackage
from digits.settings import MAX_PACKAGE_BYTES

FORMAT = 2  # 1 had neither manifest nor numbers; its model could be read only from its Keras file
MANIFEST = "manifest.json"
MAX_MEMBERS = 64
MAX_MEMBER_BYTES = MAX_PACKAGE_BYTES // 2  # the largest, the weights of three hidden layers as text, has 14 MB
MAX_UNPACKED_BYTES = 2 * MAX_PACKAGE_BYTES  # of all members; that package has 21 MB
MAX_MANIFEST_BYTES = 64 * 1024

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
_PIECE = 64 * 1024
_ADVICE = "Choose a package that Digits wrote."
# The end of a zip is a record of 22 bytes and the comment; here the comment is these words and 64 hexadecimal digits.
_SEAL = b"A package of Digits. SHA-256 of all bytes before: "
_END = struct.Struct(
    "<4s4H2LH"
)  # signature, two disk numbers, members twice, directory's size and place, comment's size
_ZIP64_END = b"PK\x06\x07"
_DIGEST_CHARACTERS = 64


def write(files: Mapping[str, bytes], level: int | None = None) -> bytes:
    """Return a zip of some files. The same files in the same order always give the same bytes.

    Args:
        files: each file's content by its name, in the order in which the zip lists them.
        level: of compression, from 1, the fastest, to 9; None for zlib's default, 6.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.create_system = 3  # Unix, on every machine
            archive.writestr(member, content, zipfile.ZIP_DEFLATED, level)
    return stream.getvalue()


def write_sealed(files: Mapping[str, bytes]) -> bytes:
    """Return a sealed zip of some files, which `read` accepts. Its first member is the manifest.

    >>> read(write_sealed({"a.txt": b"hello"}))
    {'a.txt': b'hello'}

    Args:
        files: as for `write`, without a manifest.
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = json.dumps({"format": FORMAT, "sha256": digests}, indent=2) + "\n"
    return seal(write({MANIFEST: manifest.encode(), **files}))


def seal(content: bytes) -> bytes:
    """Return a zip that has no comment with the comment that holds the digest of all its bytes."""
    sealed = content[:-2] + struct.pack("<H", len(_SEAL) + _DIGEST_CHARACTERS) + _SEAL
    return sealed + hashlib.sha256(sealed).hexdigest().encode()


def read(content: bytes, kept: Mapping[str, int] | None = None) -> dict[str, bytes]:
    """Unpack a sealed zip in memory, piece by piece; nothing is written to disk.

    Every member is unpacked and compared with its digest, but only those to keep stay in memory.

    Args:
        content: the zip, at most `MAX_PACKAGE_BYTES` bytes.
        kept: the members to return, with the largest number of bytes that each may unpack to. None returns all, each of
            at most `MAX_MEMBER_BYTES`. The limits hold even if the zip states false sizes.

    Returns:
        Each member's content by its name, in the zip's order, without the manifest. A member of `kept` may be missing.

    Raises:
        InvalidPackage: `content` is not a sealed zip, was changed, is too large, or has an unsafe member.
    """
    if len(content) > MAX_PACKAGE_BYTES:
        raise InvalidPackage(
            f"A package may have at most {MAX_PACKAGE_BYTES:,} bytes; this one has {len(content):,}. {_ADVICE}"
        )
    _check_seal(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive.infolist())
            files, digests = _unpack_all(archive, kept)
    except InvalidPackage:
        raise
    except _READ_ERRORS as error:
        raise InvalidPackage(f"A package must be a whole zip file; this one cannot be read. {_ADVICE}") from error
    _check_manifest(files.pop(MANIFEST, b""), digests)
    return files


def _check_seal(content: bytes) -> None:
    """Verify the digest of the whole zip and the size of its directory, before `zipfile` reads that into memory."""
    place = len(content) - _DIGEST_CHARACTERS - len(_SEAL) - _END.size
    whole = memoryview(content)[: -_DIGEST_CHARACTERS or None]
    is_sealed = place >= 0 and bytes(whole[-len(_SEAL) :]) == _SEAL
    if not is_sealed or hashlib.sha256(whole).hexdigest().encode() != content[-_DIGEST_CHARACTERS:]:
        if content.startswith(b"PK") and b"predict.py" in content and MANIFEST.encode() not in content:
            raise InvalidPackage(
                f"This package was written by an older Digits (format 1); this one reads format {FORMAT}. "
                "Export the model again with this version."
            )
        raise InvalidPackage(
            "A package must be a whole zip file; this one is damaged, was packed again by another program, or is "
            "something else. Download or export it again, and leave it as it is."
        )
    _, _, _, _, count, size, start, _ = _END.unpack_from(content, place)
    is_simple = start + size == place and content[max(0, place - 20) :][:4] != _ZIP64_END
    if not is_simple or count > MAX_MEMBERS or size > 1024 * MAX_MEMBERS:
        raise InvalidPackage(f"A package may contain at most {MAX_MEMBERS} files, in a plain zip. {_ADVICE}")


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


def _unpack_all(archive: zipfile.ZipFile, kept: Mapping[str, int] | None) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the content of the members to keep and of the manifest, and the digests of all members."""
    limits = dict(kept or {}) | {MANIFEST: MAX_MANIFEST_BYTES}
    files, digests, remaining = {}, {}, MAX_UNPACKED_BYTES
    for member in archive.infolist():
        name, pieces, digest = member.filename, [], hashlib.sha256()
        for piece in _unpack(archive, member, limits.get(name, MAX_MEMBER_BYTES), remaining):
            remaining -= len(piece)
            digest.update(piece)
            if kept is None or name in limits:
                pieces.append(piece)
        digests[name] = digest.hexdigest()
        if kept is None or name in limits:
            files[name] = b"".join(pieces)
    return files, digests


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int, remaining: int) -> Iterator[bytes]:
    """Yield a member's content in pieces; stop once it exceeds its own limit or what remains of the limit of all."""
    done = 0
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            done += len(piece)
            if done > limit:
                raise InvalidPackage(
                    f"A package's {member.filename[:60]!a} may unpack to at most {limit:,} bytes; it is larger. "
                    f"{_ADVICE}"
                )
            if done > remaining:
                raise InvalidPackage(
                    f"A package may unpack to at most {MAX_UNPACKED_BYTES:,} bytes; this one is larger. {_ADVICE}"
                )
            yield piece


def _check_manifest(content: bytes, digests: dict[str, str]) -> None:
    """Verify that the manifest states this format and the digests of all members but itself."""
    try:
        manifest: Any = json.loads(content)
        stated, stated_format = manifest["sha256"], manifest["format"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidPackage(f"A package's {MANIFEST} must state its format and digests. {_ADVICE}") from error
    if stated_format != FORMAT:
        raise InvalidPackage(
            f"A package must have the format {FORMAT}; this one has {ascii(stated_format)[:20]}. "
            "It was written by another version of Digits: export it again with this one."
        )
    del digests[MANIFEST]
    if stated != digests:
        names = stated.keys() | digests.keys() if isinstance(stated, dict) else digests.keys()
        wrong = sorted(n for n in names if not isinstance(stated, dict) or stated.get(n) != digests.get(n))
        raise InvalidPackage(
            f"A package's files must have the digests in its {MANIFEST}; {ascii(wrong[0])[:60]} has not. {_ADVICE}"
        )
