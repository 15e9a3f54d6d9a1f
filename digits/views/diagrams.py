"""Diagrams: the layers of a network with their shapes and parameters, drawn as SVG."""

import html
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A layer as it is drawn.

    Attributes:
        name: what it does.
        shape: what it passes on, such as "28×28×32" or "1,024".
        parameters: its weights and biases; 0 if it learns nothing.
        size: its height in the drawing, in (0, 1].
    """

    name: str
    shape: str
    parameters: int
    size: float


def _dense(inputs: int, units: int, name: str, size: float) -> Layer:
    return Layer(name, f"{units:,}", inputs * units + units, size)


def _filters(inputs: int, count: int, side: int, out: int, size: float, *, pooled: bool = False) -> Layer:
    name = f"{side}×{side}, pooled" if pooled else f"{side}×{side} filters"
    return Layer(name, f"{out}×{out}×{count}", side * side * inputs * count + count, size)


def _three(activation: str) -> tuple[Layer, ...]:
    return (
        _dense(784, 1024, activation, 1),
        _dense(1024, 512, activation, 0.72),
        _dense(512, 256, activation, 0.5),
        _dense(256, CLASSES, "softmax", 0.3),
    )


CLASSES = 10

# The layers after the image, with ten classes; a test compares them with the networks of `training.networks`.
LAYERS: dict[str, tuple[Layer, ...]] = {
    "softmax": (_dense(784, CLASSES, "softmax", 0.3),),
    "published": _three("linear"),
    "corrected": _three("ReLU"),
    "convolutional": (
        _filters(1, 32, 5, 14, 0.8, pooled=True),
        _filters(32, 64, 3, 7, 0.62, pooled=True),
        _filters(64, 64, 3, 5, 0.5),
        _dense(5 * 5 * 64, 256, "ReLU", 0.5),
        _dense(256, CLASSES, "softmax", 0.3),
    ),
    "drawing": (
        _filters(1, 32, 3, 14, 0.8, pooled=True),
        _filters(32, 64, 3, 14, 0.8),
        _filters(64, 64, 3, 7, 0.62, pooled=True),
        _filters(64, 128, 3, 7, 0.62),
        _filters(128, 128, 3, 5, 0.5),
        _dense(5 * 5 * 128, 128, "ReLU", 0.4),
        _dense(128, CLASSES, "softmax", 0.3),
    ),
}


def layers(network: str, classes: int) -> tuple[Layer, ...]:
    """Return a network's layers, of which the last has a unit for each class."""
    *others, last = LAYERS[network]
    return *others, _dense(last.parameters // CLASSES - 1, classes, last.name, last.size)


def parameters(network: str, classes: int = CLASSES) -> int:
    """Return how many numbers a network learns."""
    return sum(layer.parameters for layer in layers(network, classes))


def describe(network: str, dropout: float = 0.0, classes: int = CLASSES) -> str:
    """Describe a network's layers in a sentence, as the text alternative of its drawing."""
    steps = "; ".join(
        f"{layer.shape} ({layer.name}, {layer.parameters:,} parameters)" for layer in layers(network, classes)
    )
    drop = (
        f" Before the last layer, {dropout:.0%} of the units are dropped at random." if _drops(network, dropout) else ""
    )
    return f"28×28 pixels, then {steps}. {parameters(network, classes):,} parameters.{drop}"


def _drops(network: str, dropout: float) -> bool:
    return dropout > 0 and network != "published"


_STEP, _WIDTH, _HEIGHT = 118, 26, 120  # of the drawing, in its own units


def drawing(network: str, dropout: float = 0.0, classes: int = CLASSES) -> str:
    """Draw a network's layers from left to right as SVG; colours follow the page's text.

    Args:
        dropout: the share of the last hidden layer's units that is drawn hollow.
        classes: the units of the last layer.
    """
    shown = (Layer("image", "28×28", 0, 0.62), *layers(network, classes))
    parts, before = [], 0.0
    for index, layer in enumerate(shown):
        x, height = 40 + index * _STEP, layer.size * _HEIGHT
        if index:
            left, right = x - _STEP + _WIDTH, x
            parts.append(
                f'<path d="M{left} {70 - before / 2:g}L{right} {70 - height / 2:g}V{70 + height / 2:g}'
                f'L{left} {70 + before / 2:g}Z" class="links"/>'
            )
        is_dropped = _drops(network, dropout) and index == len(shown) - 2
        parts.append(_box(layer, x, height, dropout if is_dropped else 0.0, is_last=index == len(shown) - 1))
        before = height
    width = 40 + (len(shown) - 1) * _STEP + _WIDTH + 44
    alt = html.escape(describe(network, dropout, classes))
    size = (
        f'viewBox="0 0 {width} 186" style="min-width: {0.85 * width:.0f}px"'  # a phone scrolls it: words stay readable
    )
    return f'<svg class="network" {size} role="img" aria-label="{alt}">{"".join(parts)}</svg>'


def _box(layer: Layer, x: int, height: float, dropped: float, *, is_last: bool) -> str:
    top, middle = 70 - height / 2, x + _WIDTH / 2
    kind = "last" if is_last else "layer" if layer.parameters else "image"
    box = f'<rect x="{x}" y="{top:g}" width="{_WIDTH}" height="{height:g}" rx="4" class="{kind}"/>'
    if dropped:
        inner = f'x="{x + 2}" y="{top + 2:g}" width="{_WIDTH - 4}" height="{dropped * (height - 4):g}"'
        box += f'<rect {inner} class="dropped"/>'
    lines = [layer.shape, layer.name]
    if layer.parameters:
        lines.append(_short(layer.parameters))
    place = [f'x="{middle:g}" y="{150 + 15 * row}" class="{"name" if row else "shape"}"' for row in range(len(lines))]
    words = "".join(f"<text {at}>{html.escape(line)}</text>" for at, line in zip(place, lines, strict=True))
    return box + words


def _short(count: int) -> str:
    """Return a count in few characters: "7,850" or "803 k"."""
    return f"{count:,}" if count < 10_000 else f"{count / 1000:,.0f} k"


def bars(probabilities: Sequence[float], class_names: Sequence[str]) -> str:
    """Draw the probability of each class as a column over its name, as SVG; the highest one stands out.

    Args:
        probabilities: one for each class, in [0, 1].
    """
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    columns = "".join(
        f'<rect x="{24 * index + 3}" y="{58 - 56 * share:.1f}" width="18" height="{56 * share + 1:.1f}" rx="2" '
        f'class="{"best" if index == best else "bar"}"/>'
        f'<text x="{24 * index + 12}" y="73" class="name">{html.escape(name)}</text>'
        for index, (share, name) in enumerate(zip(map(float, probabilities), class_names, strict=True))
    )
    alt = f"Probabilities of your drawing: {class_names[best]} {float(probabilities[best]):.0%}."
    return f'<svg class="bars" viewBox="0 0 {24 * len(class_names)} 78" role="img" aria-label="{alt}">{columns}</svg>'
