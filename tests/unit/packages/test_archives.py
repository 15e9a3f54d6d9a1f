"""archives: the same files give the same zip, and no zip, however hostile, does more than be refused."""

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
    """A zip of (name or ZipInfo, content), as a stranger might make it."""
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


def test_what_was_written_is_read():
    """Names, order and contents come back."""
    assert list(archives.read(archives.write(FILES)).items()) == list(FILES.items())


def test_the_same_files_give_the_same_bytes():
    """No clock and no user is in the zip."""
    assert archives.write(FILES) == archives.write(dict(FILES))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("../evil", "leads elsewhere"),
        ("digits/../../evil", "leads elsewhere"),
        ("/etc/evil", "leads elsewhere"),
        ("digits//evil", "leads elsewhere"),
        ("digits/", "leads elsewhere"),
        ("..\\evil", "not allowed"),
        ("C:evil", "not allowed"),
        ("evil\x00.py", "not allowed"),
        ("evil\n", "not allowed"),
        ("évil", "not allowed"),
        (member("evil", external_attr=(stat.S_IFLNK | 0o777) << 16), "is a link"),
        (member("evil", external_attr=(stat.S_IFIFO | 0o644) << 16), "is a link or no plain file"),
    ],
    ids=str,
)
def test_a_harmful_member_is_refused(name, complaint):
    """Paths that lead elsewhere, links and odd names are told apart, and the name is shown harmlessly."""
    content = zipped((name, b"evil"))
    if isinstance(name, str) and "\x00" in name:  # zipfile would not write such a name; a stranger would
        content = zipped(("evil_.py", b"evil")).replace(b"evil_.py", b"evil\x00.py")
    with pytest.raises(InvalidPackage, match=complaint) as caught:
        archives.read(content)
    assert str(caught.value).isprintable()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("other", ["card.json", "CARD.json"])
def test_a_name_may_stand_once(other):
    """Two members of one name are refused, as is one that a Mac or Windows would take for it."""
    with pytest.raises(InvalidPackage, match="twice"):
        archives.read(zipped(("card.json", b"{}"), (other, b"[]")))


def test_an_encrypted_member_is_refused():
    """Nobody is asked for a password."""
    content = bytearray(zipped(("card.json", b"{}")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(InvalidPackage, match="encrypted"):
        archives.read(bytes(content))


def test_an_odd_compression_is_refused():
    """Only what every zip program writes is unpacked."""
    with pytest.raises(InvalidPackage, match="compressed in a way"):
        archives.read(zipped(("card.json", b"{}"), compression=zipfile.ZIP_LZMA))


def test_a_bomb_is_not_unpacked():
    """Of what is too large no more is read than is allowed, even where the zip lies about its size."""
    content = zipped(("bomb", bytes(5_000_000)))
    with pytest.raises(InvalidPackage, match="unpack to 1,000,000 bytes"):
        archives.read(content, most=1_000_000)
    honest, lie = (5_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")
    with pytest.raises(InvalidPackage, match=r"whole zip file|unpack to"):
        archives.read(content.replace(honest, lie), most=1_000_000)


def test_members_share_the_limit():
    """Many files that are each small enough are too much together."""
    with pytest.raises(InvalidPackage, match="unpack to 1,000 bytes"):
        archives.read(zipped(*((str(index), bytes(200)) for index in range(6))), most=1_000)


def test_there_may_be_only_so_many_members():
    """A directory of a million empty files is refused before any is looked at."""
    with pytest.raises(InvalidPackage, match=f"may hold {archives.MAX_MEMBERS} files"):
        archives.read(zipped(*((str(index), b"") for index in range(archives.MAX_MEMBERS + 1))))


def test_a_large_file_is_refused_unread(monkeypatch):
    """What is larger than a package may be is not even opened."""
    monkeypatch.setattr(archives, "MAX_PACKAGE_BYTES", 100)
    with pytest.raises(InvalidPackage, match="may have 100 bytes; this has 101"):
        archives.read(bytes(101))


@given(st.binary(max_size=300))
def test_random_bytes_are_no_package(content):
    """Whatever comes is refused in words."""
    with pytest.raises(InvalidPackage):
        archives.read(content)


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_package_is_refused_or_whole(data):
    """A zip cut short, or with a few bytes changed, is refused or gives files: nothing else ever happens."""
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
def test_no_name_leads_elsewhere(names):
    """A zip with any names is refused, or all of them stay below the folder that they are unpacked into."""
    content = zipped(*((name, b"") for name in names))
    try:
        files = archives.read(content)
    except InvalidPackage:
        return
    assert not any(name.startswith("/") or ".." in name.split("/") or "\\" in name for name in files)
