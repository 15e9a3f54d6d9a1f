"""archives: the same files give the same zip, a changed zip is refused, and so is a hostile one that is sealed."""

import hashlib
import io
import json
import random
import stat
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.errors import InvalidPackage
from digits.models import catalogue
from digits.packages import archives, pack
from digits.settings import Settings

FILES = {"README.md": b"Read me.", "digits/ink/glyphs.py": b"pass\n" * 100}


def zipped(*members, compression=zipfile.ZIP_DEFLATED):
    """Return a zip of (name or ZipInfo, content) pairs without a seal."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def hostile(*members, **how):
    """Return a sealed zip of (name or ZipInfo, content) pairs, as an attacker who computes digests might write it."""
    digests = {getattr(name, "filename", name): hashlib.sha256(content).hexdigest() for name, content in members}
    manifest = json.dumps({"format": archives.FORMAT, "sha256": digests})
    return archives.seal(zipped(*members, (archives.MANIFEST, manifest), **how))


def member(name, **facts):
    info = zipfile.ZipInfo(name)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info


def test_a_written_zip_can_be_read():
    """Names, order and contents are preserved."""
    assert list(archives.read(archives.write_sealed(FILES)).items()) == list(FILES.items())
    assert archives.read(archives.write_sealed(FILES), {"README.md": 8, "card.json": 8}) == {"README.md": b"Read me."}


def test_any_unzip_program_can_read_it():
    """The manifest comes first, and the seal is an ordinary comment."""
    with zipfile.ZipFile(io.BytesIO(archives.write_sealed(FILES))) as archive:
        assert archive.namelist() == ["manifest.json", *FILES]
        assert archive.testzip() is None
        assert archive.comment.startswith(b"A package of Digits. SHA-256")
        stated = json.loads(archive.read("manifest.json"))["sha256"]
    assert stated == {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


def test_the_same_files_give_the_same_bytes():
    """The zip contains neither the time nor the user."""
    assert archives.write_sealed(FILES) == archives.write_sealed(dict(FILES))


@pytest.fixture(scope="module")
def package():
    return pack.pack(catalogue.find("softmax", Settings.from_environment()))


def test_one_flipped_byte_anywhere_is_refused(package):
    """Every percent of a real package, 300 places at random and all bytes of both ends: none may change."""
    chosen = random.Random(0)
    places = [len(package) * percent // 100 for percent in range(100)]
    places += [chosen.randrange(len(package)) for _ in range(300)] + [*range(200), *range(-200, 0)]
    refused = 0
    for place in places:
        changed = bytearray(package)
        changed[place] ^= 1 << chosen.randrange(8)
        with pytest.raises(InvalidPackage, match="must be a whole zip file"):
            archives.read(bytes(changed), {})
        refused += 1
    assert refused == len(places) == 800


@given(st.data())
def test_a_changed_package_is_refused(data):
    """Cut off, longer at either end, or with some bytes replaced, a package is no longer one."""
    content = archives.write_sealed(FILES)
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    changed = content[:start] + data.draw(st.binary(max_size=20)) + content[stop:]
    if changed != content:
        with pytest.raises(InvalidPackage):
            archives.read(changed)


@pytest.mark.parametrize("again", [lambda files: archives.write(files), lambda files: zipped(*files.items())])
def test_a_package_of_an_older_digits_is_named(again):
    """Format 1 had no manifest; its numbers were in files that are no longer opened. The message says what to do."""
    content = again({"predict.py": b"pass", "card.json": b"{}", "model.keras": b"PK"})
    with pytest.raises(InvalidPackage, match=r"older Digits \(format 1\).* Export the model again"):
        archives.read(content)


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ({"format": 3, "sha256": {}}, "format 2; this one has 3"),
        ({"format": "![](//x)" * 9, "sha256": {}}, "another version of Digits"),
        ({"format": 2, "sha256": {"card.json": "0" * 64}}, "'card.json' has not"),
        ({"format": 2, "sha256": {}}, "'card.json' has not"),
        ({"format": 2, "sha256": {"card.json": hashlib.sha256(b"{}").hexdigest(), "more": ""}}, "'more' has not"),
        ({"format": 2, "sha256": []}, "'card.json' has not"),
        ({"format": 2}, "must state its format"),
        ([], "must state its format"),
    ],
)
def test_the_manifest_must_be_right(manifest, complaint):
    """A sealed zip of another format, or whose manifest misses or adds a member or a digest, is refused."""
    content = archives.seal(zipped(("card.json", b"{}"), ("manifest.json", json.dumps(manifest))))
    with pytest.raises(InvalidPackage, match=complaint):
        archives.read(content)


@pytest.mark.parametrize("text", ["", "{", "[" * 60_000, "1" * 9_999])
def test_the_manifest_must_be_json(text):
    """Text that is no JSON or is nested too deeply is refused."""
    with pytest.raises(InvalidPackage, match="must state its format"):
        archives.read(archives.seal(zipped(("card.json", b"{}"), ("manifest.json", text))))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("../evil", "unsafe path"),
        ("digits/../../evil", "unsafe path"),
        ("/etc/evil", "unsafe path"),
        ("digits//evil", "unsafe path"),
        ("digits/", "unsafe path"),
        ("..\\evil", "not allowed"),
        ("C:evil", "not allowed"),
        ("evil\x00.py", "not allowed"),
        ("evil\n", "not allowed"),
        ("évil", "not allowed"),
        (member("evil", external_attr=(stat.S_IFLNK | 0o777) << 16), "not a regular file"),
        (member("evil", external_attr=(stat.S_IFIFO | 0o644) << 16), "not a regular file"),
    ],
    ids=str,
)
def test_a_harmful_member_is_refused(name, complaint):
    """Unsafe paths, links and unusual names each have their own message, which shows the name in printable ASCII."""
    members = [(name, b"evil"), ("manifest.json", b"{}")]
    content = zipped(*members)
    if isinstance(name, str) and "\x00" in name:  # zipfile does not write such a name; an attacker can
        content = zipped(("evil_.py", b"evil")).replace(b"evil_.py", b"evil\x00.py")
    with pytest.raises(InvalidPackage, match=complaint) as caught:
        archives.read(archives.seal(content))
    assert str(caught.value).isprintable()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("other", ["card.json", "CARD.json"])
def test_each_name_is_unique(other):
    """Two members with the same name are refused, also if they differ only in case, as on macOS and Windows."""
    with pytest.raises(InvalidPackage, match="twice"):
        archives.read(hostile(("card.json", b"{}"), (other, b"[]")))


def test_an_encrypted_member_is_refused():
    """An encrypted member has its own message."""
    content = bytearray(zipped(("card.json", b"{}")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(InvalidPackage, match="encrypted"):
        archives.read(archives.seal(bytes(content)))


def test_an_unusual_compression_is_refused():
    """Only stored and deflated members are unpacked."""
    with pytest.raises(InvalidPackage, match="compression method"):
        archives.read(hostile(("card.json", b"{}"), compression=zipfile.ZIP_LZMA))


@pytest.mark.parametrize("name", ["card.json", "other"])
def test_a_bomb_is_not_unpacked(name):
    """Unpacking stops at the member's limit, in little memory, even if the zip states a false size."""
    content = zipped((name, bytes(50_000_000)))
    honest, lie = (50_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")
    for bomb in (content, content.replace(honest, lie)):
        tracemalloc.start()
        with pytest.raises(InvalidPackage, match=r"whole zip file|at most 1,000,000 bytes|at most 16,777,216 bytes"):
            archives.read(archives.seal(bomb), {"card.json": 1_000_000})
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
        tracemalloc.stop()


def test_members_share_a_limit():
    """The limit on the sum of all files holds as well, also for those that are not kept."""
    size = archives.MAX_MEMBER_BYTES
    with pytest.raises(InvalidPackage, match=f"{archives.MAX_UNPACKED_BYTES:,} bytes"):
        archives.read(hostile(*((str(index), bytes(size)) for index in range(5))), {})


def test_the_number_of_members_is_limited():
    """A zip with too many files is refused, even if they are empty, and before their list is read."""
    with pytest.raises(InvalidPackage, match=f"at most {archives.MAX_MEMBERS} files"):
        archives.read(hostile(*((str(index), b"") for index in range(archives.MAX_MEMBERS + 1))))
    content = bytearray(zipped(*((str(index), b"") for index in range(archives.MAX_MEMBERS + 1))))
    content[-14:-10] = struct.pack("<2H", 5, 5)  # the zip states that it has five
    with pytest.raises(InvalidPackage, match=f"at most {archives.MAX_MEMBERS} files"):
        archives.read(archives.seal(bytes(content)))


def test_a_long_list_of_members_is_not_read():
    """A zip whose list of members alone takes megabytes is refused in little memory."""
    content = archives.seal(zipped(*((str(index), b"") for index in range(10_000))))
    tracemalloc.start()
    with pytest.raises(InvalidPackage, match="in a plain zip"):
        archives.read(content)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_no_other_zip_hides_behind_the_list():
    """A zip64 record, a zip with bytes before it, or a false place of the list is refused."""
    content = zipped(("card.json", b"{}"))
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 46, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(content) - 22, 1)
    for changed in (
        content[:-22] + end + locator + content[-22:],
        b"#!/bin/sh\n" + content,
        content[:-22] + b"hidden" + content[-22:],
        content[:-6] + (0).to_bytes(4, "little") + content[-2:],
    ):
        with pytest.raises(InvalidPackage, match="in a plain zip"):
            archives.read(archives.seal(changed))


def test_a_large_file_is_refused_unread(monkeypatch):
    """A file above the size limit is refused before it is opened."""
    monkeypatch.setattr(archives, "MAX_PACKAGE_BYTES", 100)
    with pytest.raises(InvalidPackage, match=r"100 bytes.* 101\."):
        archives.read(bytes(101))


@given(st.binary(max_size=300))
def test_random_bytes_are_not_a_package(content):
    """Random bytes raise `InvalidPackage` and nothing else."""
    with pytest.raises(InvalidPackage):
        archives.read(content)


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_zip_with_a_right_seal_is_refused_or_read(data):
    """A zip whose bytes were changed before it was sealed again is refused or read; no other error is raised."""
    content = bytearray(archives.write_sealed(FILES)[: -len(archives._SEAL) - 64])
    content[-2:] = b"\0\0"
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = archives.read(archives.seal(bytes(content)))
    except InvalidPackage:
        return
    assert files == FILES


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)


@given(st.lists(NAMES | st.text("./\\:a", min_size=1), max_size=4, unique=True))
def test_no_name_leaves_the_folder(names):
    """A zip with arbitrary names is refused, or every name stays below the folder that it is unpacked into."""
    content = hostile(*((name, b"") for name in names))
    try:
        files = archives.read(content)
    except InvalidPackage:
        return
    assert not any(name.startswith("/") or ".." in name.split("/") or "\\" in name for name in files)
