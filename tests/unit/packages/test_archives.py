"""archives: the same files give the same zip, and a hostile zip is refused."""

import contextlib
import io
import stat
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.errors import InvalidPackage
from digits.packages import archives

FILES = {"README.md": b"Read me.", "digits/ink/glyphs.py": b"pass\n" * 100}


def zipped(*members, compression=zipfile.ZIP_DEFLATED):
    """Return a zip of (name or ZipInfo, content) pairs, as an attacker might write it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def member(name, **facts):
    info = zipfile.ZipInfo(name)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info


def test_a_written_zip_can_be_read():
    """Names, order and contents are preserved."""
    assert list(archives.read(archives.write(FILES)).items()) == list(FILES.items())


def test_the_same_files_give_the_same_bytes():
    """The zip contains neither the time nor the user."""
    assert archives.write(FILES) == archives.write(dict(FILES))


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
    content = zipped((name, b"evil"))
    if isinstance(name, str) and "\x00" in name:  # zipfile does not write such a name; an attacker can
        content = zipped(("evil_.py", b"evil")).replace(b"evil_.py", b"evil\x00.py")
    with pytest.raises(InvalidPackage, match=complaint) as caught:
        archives.read(content)
    assert str(caught.value).isprintable()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("other", ["card.json", "CARD.json"])
def test_each_name_is_unique(other):
    """Two members with the same name are refused, also if they differ only in case, as on macOS and Windows."""
    with pytest.raises(InvalidPackage, match="twice"):
        archives.read(zipped(("card.json", b"{}"), (other, b"[]")))


def test_an_encrypted_member_is_refused():
    """An encrypted member has its own message."""
    content = bytearray(zipped(("card.json", b"{}")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(InvalidPackage, match="encrypted"):
        archives.read(bytes(content))


def test_an_unusual_compression_is_refused():
    """Only stored and deflated members are unpacked."""
    with pytest.raises(InvalidPackage, match="compression method"):
        archives.read(zipped(("card.json", b"{}"), compression=zipfile.ZIP_LZMA))


def test_a_bomb_is_not_unpacked():
    """Unpacking stops at the limit, even if the zip states a false size."""
    content = zipped(("bomb", bytes(5_000_000)))
    with pytest.raises(InvalidPackage, match="1,000,000 bytes"):
        archives.read(content, max_bytes=1_000_000)
    honest, lie = (5_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")
    with pytest.raises(InvalidPackage, match=r"whole zip file|1,000,000 bytes"):
        archives.read(content.replace(honest, lie), max_bytes=1_000_000)


def test_members_share_the_limit():
    """The limit applies to the sum of all files."""
    with pytest.raises(InvalidPackage, match="1,000 bytes"):
        archives.read(zipped(*((str(index), bytes(200)) for index in range(6))), max_bytes=1_000)


def test_the_number_of_members_is_limited():
    """A zip with too many files is refused, even if they are empty."""
    with pytest.raises(InvalidPackage, match=rf"{archives.MAX_MEMBERS} files.* {archives.MAX_MEMBERS + 1}\."):
        archives.read(zipped(*((str(index), b"") for index in range(archives.MAX_MEMBERS + 1))))


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
@settings(max_examples=200)
def test_a_damaged_package_is_refused_or_read(data):
    """A truncated zip, or one with a few changed bytes, is refused or read; no other error is raised."""
    content = bytearray(archives.write(FILES))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidPackage):
        assert all(isinstance(part, bytes) for part in archives.read(bytes(content)).values())


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)


@given(st.lists(NAMES | st.text("./\\:a", min_size=1), max_size=4, unique=True))
def test_no_name_leaves_the_folder(names):
    """A zip with arbitrary names is refused, or every name stays below the folder that it is unpacked into."""
    content = zipped(*((name, b"") for name in names))
    try:
        files = archives.read(content)
    except InvalidPackage:
        return
    assert not any(name.startswith("/") or ".." in name.split("/") or "\\" in name for name in files)
