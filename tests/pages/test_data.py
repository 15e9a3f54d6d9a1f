"""Data: sets are made, filled, looked at, copied, deleted and brought, and each can be trained on."""

import gzip
import io
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from digits.data import arrivals, collected, joined, own, sets
from digits.settings import Settings
from digits.store import open_store
from digits.training import own_sets
from tests.unit.data.test_own import VOWELS, drawings
from tests.unit.data.test_pairs import IMAGES, LABELS, idx
from tests.unit.data.test_photographs import CROSS, TICK, photograph


@pytest.fixture
def vowels(registry):
    """A set of Ada's that can be trained on."""
    return own_sets.create(registry, open_store(Settings.from_environment()), "ada", "Vowels", VOWELS, drawings())


def texts(page):
    return " ".join(part.value for part in [*page.markdown, *page.caption, *page.warning, *page.info])


def test_a_set_is_made_and_opened(open_page, tidy, registry):
    page = open_page("data.py")
    page.button(key="data.ready.Vowels").click().run()
    assert page.text_input(key="data.name").value == "Vowels"
    tidy(page.button(key="data.create").click().run())
    (record,) = registry.list_sets("ada")
    assert (record.name, record.classes, record.drawings) == ("Vowels", 5, 0)
    assert page.header[0].value == "Vowels"
    assert page.query_params["set"] in (record.id, [record.id])
    assert "there are fewer of a (0)" in texts(page)
    assert "data.train" not in [button.key for button in page.button]


@pytest.mark.parametrize(("classes", "words"), [("", "1 to 62 classes"), ("a a", "twice"), ("a" * 13, "13|characters")])
def test_what_cannot_be_a_set_is_refused_in_words(open_page, registry, classes, words):
    page = open_page("data.py")
    page.text_input(key="data.classes").set_value(classes)
    page.button(key="data.create").click().run()
    assert re.search(words, page.error[0].value)
    assert registry.list_sets("ada") == []


def test_a_set_of_ones_own_can_be_trained_on(open_page, tidy, vowels):
    """The Data page leads to Train, which offers the set and describes it."""
    page = tidy(open_page("data.py", set=vowels.id))
    assert "15 drawings" in texts(page)
    page.button(key="data.train").click().run()
    assert page.title[0].value == "Train a model"
    box = page.selectbox(key="train.dataset")
    assert (box.value, box.options[-1]) == (vowels.dataset, "Vowels")
    assert "9 to learn from, 3 to validate and 3 to test" in texts(page)


def test_a_link_to_a_set_that_is_gone_falls_back(open_page, registry):
    page = open_page("train.py", dataset=own.name_of("0" * 16, 1))
    assert page.selectbox(key="train.dataset").value == sets.MNIST
    assert "not on this server" in page.warning[0].value
    assert not page.error
    page = open_page("data.py", set="0" * 16)
    assert "not on this server" in page.error[0].value


def test_others_look_train_and_copy(open_page, tidy, vowels, registry):
    page = tidy(open_page("data.py", visitor="bob", set=vowels.id))
    assert "shared set" in texts(page)
    assert not [button for button in page.button if button.key == "data.delete"]
    assert not page.text_input
    page.button(key="data.copy").click().run()
    (copied,) = registry.list_sets("bob")
    assert (copied.name, copied.drawings) == ("Copy of Vowels", 15)
    assert page.header[0].value == "Copy of Vowels"


def test_deleting_can_be_undone(open_page, tidy, vowels, registry):
    page = open_page("data.py", set=vowels.id)
    tidy(page.button(key="data.delete").click().run())
    assert registry.list_sets("ada") == []
    assert "Vowels has been deleted" in texts(page)
    page.button(key="data.undo.delete").click().run()
    assert [record.name for record in registry.list_sets("ada")] == ["Vowels"]


def test_a_set_that_made_room_is_found_and_restored(open_page, tidy, vowels, registry, monkeypatch):
    """The page tells the quota, where there is one, and lists what can be restored."""
    assert "MB" not in texts(open_page("data.py"))
    monkeypatch.setenv("DIGITS_SET_MEGABYTES", "1000")
    registry.put_away_sets([vowels.id])
    page = tidy(open_page("data.py"))
    assert "While all visitors' sets take more than 900 MB" in texts(page)
    page.button(key=f"data.open.{vowels.id}").click().run()
    tidy(page.button(key="data.restore").click().run())
    assert [record.name for record in registry.list_sets("ada")] == ["Vowels"]


def test_a_set_is_renamed(open_page, tidy, vowels, registry):
    page = open_page("data.py", set=vowels.id)
    tidy(page.text_input(key=f"data.title.{vowels.id}.1").set_value("My *hand*").run())
    assert registry.get_set(vowels.id).name == "My *hand*"
    assert page.header[0].value == r"My \*hand\*"


def test_classes_are_added_later(open_page, tidy, vowels, registry):
    """The sheet then asks for the new one; one with drawings cannot be left out."""
    page = open_page("data.py", set=vowels.id)
    assert page.text_input(key=f"data.names.{vowels.id}.1").value == "a e ü"
    tidy(page.text_input(key=f"data.names.{vowels.id}.1").set_value("a, e, ü, o with dots").run())
    assert own.find(registry.get_set(vowels.id).dataset).class_names == ("a", "e", "ü", "o with dots")
    assert "fewer of o with dots (0)" in texts(page)
    assert page.text_input(key=f"data.names.{vowels.id}.2").value == "a, e, ü, o with dots"
    page.text_input(key=f"data.names.{vowels.id}.2").set_value("a e").run()
    assert "The class ü has drawings (5)" in page.error[0].value


def send(page, vowels, **batch):
    """Let the browser's sheet send drawings."""
    page.session_state["data.collect"] = {
        "batch": {"set": vowels.id, "token": "t1", "added": [], "removed": [], **batch}
    }
    return page.run()


def test_what_the_sheet_sends_arrives_once(open_page, tidy, vowels, registry):
    page = open_page("data.py", set=vowels.id)
    good = {"id": "0123456789abcdef", "label": "a", "strokes": [[1, 2, 30, 40, 50, 60]]}
    bad = [
        {"id": "x", "label": "a", "strokes": [[1]]},
        {"label": "no class", "strokes": [[1, 2]]},
        None,
        {"label": "a"},
    ]
    page.text_input(key="data.writer").set_value("Eve").run()
    tidy(send(page, vowels, added=[good, *bad]))
    tidy(page.run())
    found = own.find(registry.get_set(vowels.id).dataset)
    assert (len(found.samples), found.samples[-1].writer) == (16, "Eve")
    assert page.session_state["data.received"] == "t1"
    tidy(send(page, vowels, token="t2", removed=[good["id"]]))
    assert registry.get_set(vowels.id).drawings == 15


@pytest.mark.parametrize("batch", [{"token": 3}, {"set": "x"}, {"added": "x", "removed": 5}])
def test_what_no_sheet_sends_changes_nothing(open_page, tidy, vowels, registry, batch):
    page = open_page("data.py", set=vowels.id)
    tidy(send(page, vowels, **batch))
    assert registry.get_set(vowels.id).drawings == 15


def test_a_full_set_says_so_on_the_sheet(open_page, tidy, vowels, monkeypatch):
    """The browser keeps what was refused, and shows why."""
    monkeypatch.setenv("DIGITS_DRAWINGS_PER_SET", "15")
    page = open_page("data.py", set=vowels.id)
    tidy(send(page, vowels, added=[{"id": "0123456789abcdef", "label": "a", "strokes": [[1, 2, 3, 4]]}]))
    assert "may have 15 drawings" in page.session_state["data.problem"]
    assert "data.received" not in page.session_state


def zipped(**classes):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, count in classes.items():
            for turn in range(count):
                picture = io.BytesIO()
                ink = np.full((28, 28), 255, np.uint8)
                ink[4 + turn : 24, 13:15] = 0
                Image.fromarray(ink).save(picture, "PNG")
                archive.writestr(f"set/{name}/{turn}.png", picture.getvalue())
    return stream.getvalue()


def test_a_file_is_looked_over_before_it_is_taken(open_page, tidy, registry):
    page = open_page("data.py")
    page.file_uploader(key="data.file.0").set_value(("My hand.zip", zipped(one=6, two=2), "application/zip")).run()
    assert "8 drawings** of 2 classes: one (6), two (2)" in texts(page)
    assert "there are fewer of two (2)" in texts(page)
    assert registry.list_sets("ada") == []
    tidy(page.button(key="data.take").click().run())
    (record,) = registry.list_sets("ada")
    assert (record.name, record.drawings) == ("My hand", 8)
    assert page.header[0].value == "My hand"


def test_a_hostile_file_is_refused_in_words(open_page, registry):
    page = open_page("data.py")
    page.file_uploader(key="data.file.0").set_value(("x.zip", b"PK\x03\x04" + bytes(100), "application/zip")).run()
    assert "damaged" in page.error[0].value
    assert not [button for button in page.button if button.key == "data.take"]


@pytest.mark.parametrize("name", ["mnist", "capitals"])
def test_a_data_set_of_digits_shows_itself(open_page, tidy, name):
    page = tidy(open_page("data.py", set=name))
    declared = sets.find(name)
    assert page.header[0].value == declared.title
    assert "Train on it" in [link.proto.label for link in page.get("page_link")]


def test_a_hostile_name_is_shown_as_it_is(open_page, tidy, registry):
    store = open_store(Settings.from_environment())
    own_sets.create(registry, store, "ada", "![x](https://h/x.png) :smile:", ["<b>", "*"], ())
    page = tidy(open_page("data.py"))
    assert any(button.label.startswith("\\!\\[x\\]") for button in page.button)
    (record,) = registry.list_sets("ada")
    tidy(open_page("data.py", set=record.id))


def test_a_class_is_part_of_the_link(open_page, tidy, vowels):
    """Also one that no link could hold as it is."""
    page = open_page("data.py", set=vowels.id, class_="u-c3bc")
    assert page.session_state["data.class"] == "ü"
    assert page.query_params["class"] in ("u-c3bc", ["u-c3bc"])
    page = tidy(open_page("data.py", set=vowels.id, class_="u-zz"))
    assert page.session_state["data.class"] == ""
    assert "`class` was not used" in page.warning[0].value


def test_a_set_of_digits_can_be_added_to_mnist(open_page, tidy, registry):
    """Train offers it alone and with MNIST, then with its share of each batch, which goes into the link and the run."""
    store, digits = open_store(Settings.from_environment()), ("a", "e", "ü")
    names = dict(zip(digits, "370", strict=True))
    samples = [collected.of_strokes(names[one.label], one.strokes) for one in drawings()]
    made = own_sets.create(registry, store, "ada", "My digits", ("3", "7", "0"), samples)
    page = open_page("train.py", dataset=made.dataset)
    box = page.selectbox(key="train.dataset")
    assert box.options[-2:] == ["My digits", "My digits + MNIST"]
    assert "train.own_share" not in [slider.key for slider in page.slider]
    tidy(box.select(joined.name_of(made.dataset)).run())
    assert page.slider(key="train.own_share").value == 0.1
    page.slider(key="train.own_share").set_value(0.25).run()
    page.radio(key="train.network").set_value("softmax").run()
    page.button(key="train.start").click().run()
    (run,) = registry.list_runs("ada")
    assert (run.hyperparameters.dataset, run.hyperparameters.own_share) == (joined.name_of(made.dataset), 0.25)


def test_why_other_sets_are_not_added_to_mnist_is_said(open_page, vowels):
    page = open_page("train.py", dataset=vowels.dataset)
    assert "only sets of digits can be added to MNIST" in texts(page)
    assert not [name for name in page.selectbox(key="train.dataset").options if "+" in name]


def captions(page, key):
    """The classes on the tiles of a grid."""
    return [tile["caption"] for tile in json.loads(page.get_by_key(key).proto.json)["tiles"]]


@pytest.mark.parametrize(("name", "count"), [("capitals", 26), ("strangers", 62)])
def test_samples_are_found_by_class_by_writer_and_at_random(open_page, tidy, name, count):
    page = tidy(open_page("data.py", set=name))
    assert len(set(captions(page, "data.samples"))) == count
    writers = page.selectbox(key="data.by").options
    assert len(writers) > 10
    page.selectbox(key="data.class").select("B").run()
    assert set(captions(page, "data.samples")) == {"B"}
    chosen = next(option for option in writers[1:] if option.startswith("unipen"))
    page.selectbox(key="data.class").select("").run()
    page = tidy(page.selectbox(key="data.by").select(chosen.partition(" ")[0]).run())
    assert chosen.endswith(f"({len(captions(page, 'data.samples'))})") or len(captions(page, "data.samples")) > 50
    assert page.query_params["by"] in (chosen.partition(" ")[0], [chosen.partition(" ")[0]])
    before = captions(page, "data.samples")
    page = tidy(page.button(key="data.random").click().run())
    assert captions(page, "data.samples") != before
    assert page.query_params["shuffle"]
    page = tidy(page.button(key="data.order").click().run())
    assert captions(page, "data.samples") == before


def test_a_set_of_ones_own_is_filtered_by_writer(open_page, tidy, registry):
    store = open_store(Settings.from_environment())
    made = own_sets.create(registry, store, "ada", "Vowels", VOWELS, drawings(9, writers=("Ada L.", "bob", "eve")))
    page = tidy(open_page("data.py", set=made.id))
    assert page.selectbox(key="data.by").options == ["All (27)", "Ada L. (9)", "bob (9)", "eve (9)"]
    page = tidy(page.selectbox(key="data.by").select("Ada L.").run())
    page.selectbox(key="data.class").select("e").run()
    assert captions(page, "data.samples") == ["e"] * 3
    again = tidy(open_page("data.py", set=made.id, by="u-416461204c2e", class_="e"))
    assert captions(again, "data.samples") == ["e"] * 3


def notes(page):
    return [tile["note"] for tile in json.loads(page.get_by_key("data.samples").proto.json)["tiles"]]


def test_every_drawing_of_a_set_is_on_one_of_its_pages(open_page, tidy, registry):
    """A hundred on each, the newest first; what is removed makes room, and the last page may then be gone."""
    store = open_store(Settings.from_environment())
    made = own_sets.create(registry, store, "ada", "Many", VOWELS, drawings(67))
    page = tidy(open_page("data.py", set=made.id))
    assert "**201 drawings**, 1 to 100 shown. Press one to remove it." in texts(page)
    seen = notes(page)
    for hundred in ("2", "3"):
        page = tidy(open_page("data.py", set=made.id, hundred=hundred))
        assert page.query_params["hundred"] in (hundred, [hundred])
        seen += notes(page)
    assert seen == [f"(drawing {number})" for number in range(1, 202)]
    own_sets.add(registry, store, made.id, "ada", [], [own.find(made.dataset).samples[0].id])
    page = tidy(open_page("data.py", set=made.id, hundred="3"))
    assert page.session_state["data.hundred"] == 2
    assert "**200 drawings**, 101 to 200 shown." in texts(page)


@pytest.mark.parametrize("name", ["mnist", "strangers"])
def test_every_sample_of_a_data_set_is_on_one_of_its_pages(open_page, tidy, name):
    page = tidy(open_page("data.py", set=name, hundred="2"))
    assert not set(notes(page)) & set(notes(open_page("data.py", set=name)))
    page.selectbox(key="data.class").select("3").run()
    assert page.session_state["data.hundred"] == 1
    assert set(captions(page, "data.samples")) == {"3"}


def test_photographs_are_cut_labelled_by_row_and_taken(open_page, tidy, registry):
    page = open_page("data.py")
    content = photograph([TICK] * 6, [CROSS] * 6)
    page.file_uploader(key="data.file.0").set_value([("sheet.jpg", content, "image/jpeg")]).run()
    assert "12 samples** are found" in texts(page)
    assert "data.take" not in [button.key for button in page.button]
    page.text_input(key="data.row.0.1").set_value("✓").run()
    page.text_input(key="data.row.0.2").set_value("✗ ✗").run()
    assert "Row 2 has 6 samples and 2 labels" in page.error[0].value
    page = tidy(page.text_input(key="data.row.0.2").set_value("✗").run())
    assert "of 2 classes: ✓" in texts(page)
    tidy(page.button(key="data.take").click().run())
    (record,) = registry.list_sets("ada")
    assert (record.name, record.classes) == ("sheet", 2)


def test_two_idx_files_are_taken_together(open_page, tidy, registry):
    page = open_page("data.py")
    files = [("train-images-idx3-ubyte.gz", gzip.compress(idx(IMAGES)), ""), ("labels", idx(LABELS), "")]
    page.file_uploader(key="data.file.0").set_value(files[:1]).run()
    assert "come as two" in page.error[0].value
    page.file_uploader(key="data.file.0").set_value(files).run()
    assert "12 drawings** of 2 classes: 3 (6), 4 (6)" in texts(page)
    tidy(page.button(key="data.take").click().run())
    (record,) = registry.list_sets("ada")
    assert record.drawings == 12


def test_files_of_several_kinds_are_refused(open_page, registry):
    page = open_page("data.py")
    page.file_uploader(key="data.file.0").set_value([("a.zip", zipped(one=6), ""), ("b.csv", b"1,2", "")]).run()
    assert "of several kinds" in page.error[0].value


def test_a_file_that_takes_too_long_is_refused_once(open_page, registry, monkeypatch):
    """The page stays quick: what was given up is not read again with the next press on it."""
    monkeypatch.setattr(arrivals, "MAX_READ_SECONDS", -1)
    page = open_page("data.py")
    page.file_uploader(key="data.file.0").set_value([("a.zip", zipped(one=6), "")]).run()
    assert "only 0 of 6 were, and nothing was kept" in page.error[0].value
    monkeypatch.setattr(arrivals, "read", lambda *_, **__: pytest.fail("read again"))
    page.run()
    assert "only 0 of 6 were" in page.error[0].value
    page.file_uploader(key="data.file.0").set_value([]).run()
    assert not page.error
    assert registry.list_sets("ada") == []
