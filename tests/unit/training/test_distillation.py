"""distillation: a bank keeps what was put in, JAX draws it as the pen does, and a model's weights are its network's."""

import json

import numpy as np
import pytest

from digits.data import allographs, letters, samples
from digits.ink import pen
from digits.models import judge
from digits.settings import BUNDLED_MODELS_DIR
from digits.training import networks
from digits.training.distillation import bank, finish, plan
from digits.training.judge.examples import LOOKALIKES

CLASSES = tuple("0123456789")


def small_bank() -> bank.Bank:
    rng = np.random.default_rng(0)
    made = bank.Bank()
    drawings = made.add_drawings((str(row % 10), allographs.draw(row % 10, rng)) for row in range(40))
    dots = made.add_drawings([("dot", [np.array([[10.0, 10.0]], np.float32)])])
    images = made.add_images(np.eye(28, dtype=np.uint8)[None].repeat(10, axis=0) * 255, list(CLASSES))
    made.add_task(bank.Task("digits", {name: name for name in CLASSES}, [*drawings, *drawings[:5]], list(images)))
    made.add_task(bank.Task("judge", {name: name for name in (*CLASSES, "dot")}, [*drawings, *dots], list(images)))
    return made


class TestBank:
    def test_keeps_drawings_images_and_tasks(self):
        """Its arrays hold every drawing's points, a row as often as a task names it, and the class of each label."""
        arrays = small_bank().arrays()
        assert len(arrays["counts"]) == 41
        assert arrays["counts"].sum() == len(arrays["points"])
        assert (len(arrays["digits_drawings"]), len(arrays["judge_drawings"])) == (45, 41)
        assert arrays["images"].shape == (10, 28, 28)
        assert json.loads(str(arrays["tasks"]))["judge"]["dot"] == "dot"

    @pytest.mark.parametrize("points", [2, 64, 65, 66, 500])
    def test_shortens_long_drawings(self, points):
        """No drawing has more lines than the bank keeps, and each stroke keeps its ends."""
        strokes = [np.cumsum(np.ones((points, 2), np.float32), axis=0), np.zeros((3, 2), np.float32)]
        kept = bank.shorten(strokes)
        assert sum(len(stroke) - 1 for stroke in kept) <= plan.SEGMENTS
        assert [stroke[[0, -1]].tolist() for stroke in kept] == [stroke[[0, -1]].tolist() for stroke in strokes]

    def test_shortens_many_strokes(self):
        """Of more strokes than lines that the bank keeps, the last ones are left out."""
        kept = bank.shorten([np.zeros((5, 2), np.float32)] * 100)
        assert sum(max(1, len(stroke) - 1) for stroke in kept) <= plan.SEGMENTS


def test_the_judge_decides_as_it_is_used():
    """The plan, which needs no package, accepts what the judge accepts, and lets it say either of other look-alikes."""
    assert set(plan.IS_DIGIT.accepted) == judge.SHAPED_LIKE_DIGITS.union(judge.TEN_DIGITS)
    assert set(plan.IS_DIGIT.either) == LOOKALIKES - judge.SHAPED_LIKE_DIGITS
    assert set(plan.IS_CHARACTER.accepted) == set(bank.ALL_CHARACTERS)


def test_classes_of_letters_are_those_of_their_data_sets():
    """The plan, which needs no package, names the bundled models and folds characters as the alphabets do."""
    models = plan.PLAN["characters"][1]
    assert {model.name for model in models} == {
        name for name in letters.ALPHABETS if (BUNDLED_MODELS_DIR / name).is_dir()
    }
    for model in models:
        alphabet = letters.ALPHABETS[model.name]
        assert model.class_of == {label: alphabet.class_names[place] for label, place in alphabet.labels.items()}


@pytest.fixture(scope="module")
def fit():
    pytest.importorskip("jax", reason="JAX is not installed (requirements-distillation.txt)")
    from digits.training.distillation import fit

    return fit


@pytest.fixture(scope="module")
def batches(fit):
    from digits.training.distillation import batches

    return batches


@pytest.fixture(scope="module")
def layers(fit):
    from digits.training.distillation import layers

    return layers


class TestOnAnAccelerator:
    def test_draws_as_the_pen_does(self, batches):
        """What is drawn of a bank's lines is the pen's image, up to what whole thousandths of its size leave out."""
        strokes = [example.strokes for example in samples.load(samples.EXAMPLES)[:40]]
        strokes.append([np.array([[10.0, 10.0]], np.float32)])
        made = bank.Bank()
        made.add_drawings(("0", one) for one in strokes)
        rows = batches.Rows(made.arrays())
        shown = np.asarray(batches.draw(rows.segments.astype("float32") / 1000, rows.smallest))
        expected = np.stack([pen.draw(bank.shorten(one), smallest=8.0)[0] for one in strokes])
        assert np.abs(np.rint(shown * 255) - expected).max() <= 4

    @pytest.mark.parametrize("network", ["drawing", "judge"])
    def test_gives_the_weights_of_the_network(self, layers, network):
        """A small network's folded weights, in the product's network, give the same probabilities."""
        import jax

        design = {"drawing": plan.STUDENT, "judge": plan.JUDGE}[network]
        weights, moving = layers.initialise(design, jax.random.key(0))
        moving = {name: value + 0.3 for name, value in moving.items()}
        images = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype(np.float32)
        logits, _ = layers.apply(design, weights, moving, images / 255, None)
        model = networks.build(network, 12, is_folded=True)
        model.set_weights(layers.folded(design, weights, moving, 12))
        assert model(images).numpy() == pytest.approx(np.asarray(jax.nn.softmax(logits[:, :12])), abs=1e-5)

    def test_distils(self, fit, tmp_path, monkeypatch):
        """From a bank come the weights of each of a task's models, with the facts of their training."""
        tiny = plan.Design((4, 4), (1, 2), 8)
        monkeypatch.setattr(fit, "TEACHER", tiny)
        monkeypatch.setattr(fit, "STEPS", 2)
        decision = plan.Decision("01", "2")
        drawing = plan.Model("drawing", tiny, 5.0, iterations=6, decisions=(decision,))
        monkeypatch.setitem(plan.PLAN, "digits", ((0.001,), (drawing,)))
        np.savez(tmp_path / "bank.npz", **small_bank().arrays())
        arguments = ["--tasks", "digits", "--seconds", "500", "--sizes", "8", "8"]
        fit.main([str(tmp_path / "bank.npz"), str(tmp_path / "weights"), *arguments])
        weights, facts = finish.read(tmp_path / "weights" / "drawing.npz")
        assert facts["classes"] == list(CLASSES)
        assert (facts["iterations"], facts["batch_size"], facts["teachers"]) == (6, 8, 1)
        assert [one.shape for one in weights][-2:] == [(8, 10), (10,)]
        assert all(np.isfinite(one).all() for one in weights)
