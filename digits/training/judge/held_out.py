"""Kinds of drawings that no judge is fitted on; they measure how it handles unfamiliar drawings."""

from collections.abc import Callable

import numpy as np

from digits.training.judge.shapes import Strokes, ellipse, line, moved, quarter


def _face(rng: np.random.Generator) -> Strokes:
    """A head with two eyes and a mouth, smiling or not, sometimes with a nose."""
    height = rng.uniform(0.85, 1.15)
    eye_x, eye_y, eye = rng.uniform(0.14, 0.22), -height * rng.uniform(0.1, 0.2), rng.uniform(0.01, 0.12)
    mouth, smile = np.linspace(-0.25, 0.25, 16), rng.uniform(-0.15, 0.25)
    parts = [
        ellipse(0, 0, 1, height, start=rng.uniform(0, 6)),
        ellipse(-eye_x, eye_y, eye, eye),
        ellipse(eye_x, eye_y, eye, eye),
        np.stack([mouth, height * 0.2 + smile * (1 - (mouth / 0.25) ** 2)], axis=-1),
    ]
    return [*parts, line((0, -0.05), (0, 0.1))] if rng.random() < 0.4 else parts


def _spiral(rng: np.random.Generator) -> Strokes:
    """Two and a half to five turns."""
    turns = rng.uniform(2.5, 5)
    angle = np.linspace(0, 2 * np.pi * turns, int(24 * turns))
    radius = angle / angle[-1]
    turned = angle * rng.choice([-1, 1]) + rng.uniform(0, 6)
    return [np.stack([radius * np.cos(turned), radius * np.sin(turned)], axis=-1)]


def _star(rng: np.random.Generator) -> Strokes:
    """A five-pointed star, drawn in one stroke or as an outline."""
    if rng.random() < 0.6:
        angles = -np.pi / 2 + np.arange(6) * 4 * np.pi / 5
        return [line(*((np.cos(a), np.sin(a)) for a in angles))]
    angles = -np.pi / 2 + np.arange(11) * np.pi / 5
    radii = np.where(np.arange(11) % 2, rng.uniform(0.35, 0.5), 1)
    return [line(*((r * np.cos(a), r * np.sin(a)) for a, r in zip(angles, radii, strict=True)))]


def _wave(rng: np.random.Generator) -> Strokes:
    """A horizontal wave with two to five crests, once or twice."""
    x = np.linspace(0, 1, 80)
    wave = np.stack([x, rng.uniform(0.08, 0.25) * np.sin(2 * np.pi * rng.uniform(2, 5) * x)], axis=-1)
    return [wave, moved(wave, 0, rng.uniform(0.3, 0.5))] if rng.random() < 0.4 else [wave]


def _heart(rng: np.random.Generator) -> Strokes:
    """A heart."""
    t = np.linspace(0, 2 * np.pi, 80)
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) * rng.uniform(0.9, 1.2)
    return [np.stack([16 * np.sin(t) ** 3, y], axis=-1) / 32]


def _hatching(rng: np.random.Generator) -> Strokes:
    """Slanted lines close together, in one stroke or in many."""
    count = int(rng.integers(5, 10))
    ends = [((x, 1.0), (x + 0.4, 0.0)) for x in np.arange(count) / count]
    if rng.random() < 0.5:
        return [line(*end) for end in ends]
    return [line(*(corner for i, end in enumerate(ends) for corner in (end if i % 2 else end[::-1])))]


def _cloud(rng: np.random.Generator) -> Strokes:
    """A cloud: an outline of bumps."""
    bumps = int(rng.integers(5, 9))
    angle = np.linspace(0, 2 * np.pi, 20 * bumps)
    radius = 0.8 + 0.2 * np.abs(np.sin(bumps * angle / 2))
    return [np.stack([radius * np.cos(angle), rng.uniform(0.5, 0.8) * radius * np.sin(angle)], axis=-1)]


def _sun(rng: np.random.Generator) -> Strokes:
    """A disc with six to ten rays."""
    count = int(rng.integers(6, 11))
    angles, near, far = np.arange(count) * 2 * np.pi / count, rng.uniform(0.55, 0.65), rng.uniform(0.85, 1.1)
    rays = [line((near * np.cos(a), near * np.sin(a)), (far * np.cos(a), far * np.sin(a))) for a in angles]
    return [ellipse(0, 0, 0.9, 0.9), *rays]


def _fish(rng: np.random.Generator) -> Strokes:
    """A fish: a body, a tail and usually an eye."""
    height, tail = rng.uniform(0.35, 0.6), rng.uniform(0.25, 0.4)
    body = ellipse(0, 0, 1, height)
    fish = [body, line((0.5, 0), (0.5 + tail, -tail * 0.7), (0.5 + tail, tail * 0.7), (0.5, 0))]
    fish += [ellipse(-0.28, -0.05, 0.05, 0.05)] if rng.random() < 0.8 else []
    return fish if rng.random() < 0.5 else [part * [-1, 1] for part in fish]


def _tree(rng: np.random.Generator) -> Strokes:
    """A fir of triangles, or a broad-leaved tree, on a trunk."""
    if rng.random() < 0.5:
        crown = [line((0, y), (0.3 + y / 2, y + 0.4), (-0.3 - y / 2, y + 0.4), (0, y)) for y in (0, 0.3, 0.6)]
        return [*crown, line((-0.07, 1), (-0.07, 1.25), (0.07, 1.25), (0.07, 1))]
    return [*(part * 0.6 for part in _cloud(rng)), line((-0.08, 0.3), (-0.1, 1.1)), line((0.08, 0.3), (0.1, 1.1))]


def _cup(rng: np.random.Generator) -> Strokes:
    """A cup with a handle, sometimes with steam."""
    handle = ellipse(1, 0.45, 0.5, 0.5, start=-np.pi / 2, turns=0.5)
    steam = np.stack([0.03 * np.sin(np.linspace(0, 9, 20)), np.linspace(-0.4, -0.1, 20)], axis=-1)
    cup = [line((0, 0), (0.1, 1), (0.9, 1), (1, 0), (0, 0)), handle]
    return [*cup, moved(steam, 0.3, 0), moved(steam, 0.6, 0)] if rng.random() < 0.5 else cup


def _car(rng: np.random.Generator) -> Strokes:
    """A car from the side."""
    roof = rng.uniform(0.25, 0.4)
    outline = [(0, 0), (0, -0.3), (0.25, -0.3), (0.4, -0.3 - roof), (0.9, -0.3 - roof), (1.1, -0.3), (1.4, -0.3)]
    return [line(*outline, (1.4, 0), (0, 0)), ellipse(0.35, 0.05, 0.3, 0.3), ellipse(1.05, 0.05, 0.3, 0.3)]


def _note(rng: np.random.Generator) -> Strokes:
    """Two quavers joined by a beam."""
    head, lean = 0.3, rng.uniform(0, 0.2)
    heads = [ellipse(x, y, head, head * 0.7) for x, y in ((0, 1), (0.8, 1 - lean))]
    return [*heads, line((head / 2, 1), (head / 2, 0), (0.8 + head / 2, -lean), (0.8 + head / 2, 1 - lean))]


def _moon(rng: np.random.Generator) -> Strokes:
    """A crescent, open to the left or the right."""
    deep, angle = rng.uniform(0.35, 0.7), np.linspace(-1.2, 1.2, 40)
    outer = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    inner = (outer - outer[0, 0] * np.array([1, 0])) * [deep, 1] + outer[0, 0] * np.array([1, 0])
    return [np.concatenate([outer, inner[::-1]]) * [rng.choice([-1, 1]), 1]]


def _key(rng: np.random.Generator) -> Strokes:
    """A key: a bow, a shaft and two or three teeth, horizontal or vertical."""
    bow, tooth = rng.uniform(0.35, 0.55), rng.uniform(0.12, 0.25)
    teeth = [line((x, 0), (x, tooth)) for x in (1.0, 0.85, 0.7)[: int(rng.integers(2, 4))]]
    turns = int(rng.choice([0, 0, 2, 1, 3]))
    return [quarter(part, turns) for part in (ellipse(-bow / 2, 0, bow, bow), line((0, 0), (1, 0)), *teeth)]


def _flag(rng: np.random.Generator) -> Strokes:
    """A pole and a cloth, straight or waving, plain or divided."""
    x, wave = np.linspace(0, rng.uniform(0.6, 0.9), 30), rng.uniform(0, 0.08)
    edge = np.stack([x, wave * np.sin(9 * x)], axis=-1)
    low = moved(edge, 0, rng.uniform(0.35, 0.5))
    flag = [line((0, 0), (0, 1.3)), np.concatenate([edge, low[::-1]])]
    return [*flag, moved(edge, 0, 0.2)] if rng.random() < 0.4 else flag


def _umbrella(rng: np.random.Generator) -> Strokes:
    """A dome, sometimes with ribs, and a handle that ends in a hook."""
    angle = np.linspace(np.pi, 2 * np.pi, 40)
    dome = np.stack([np.cos(angle), np.sin(angle) * rng.uniform(0.6, 1)], axis=-1)
    hook = ellipse(-0.15, 1.0, 0.3, 0.3, start=0.0, turns=0.5)
    umbrella = [np.concatenate([dome, dome[:1]]), np.concatenate([line((0, 0), (0, 1.0)), hook])]
    return [*umbrella, line((0, -0.6), (-0.4, 0)), line((0, -0.6), (0.4, 0))] if rng.random() < 0.4 else umbrella


def _leaf(rng: np.random.Generator) -> Strokes:
    """A pointed leaf with its midrib, usually with veins."""
    x, width = np.linspace(0, 1, 30), rng.uniform(0.25, 0.45)
    rim = np.stack([x, width * np.sin(np.pi * x)], axis=-1)
    veins = [line((at, 0), (at + 0.12, side * width * 0.6)) for at in (0.3, 0.55) for side in (-1, 1)]
    leaf = [np.concatenate([rim, (rim * [1, -1])[::-1]]), line((-0.25, 0), (0.9, 0))]
    leaf += veins if rng.random() < 0.7 else []
    return [quarter(part, 3) for part in leaf] if rng.random() < 0.5 else leaf


def _scissors(rng: np.random.Generator) -> Strokes:
    """Two crossing blades, with a ring at the end of each."""
    open_, ring = rng.uniform(0.2, 0.45), rng.uniform(0.3, 0.45)
    return [
        line((-open_, -1), (open_, 0.7)),
        line((open_, -1), (-open_, 0.7)),
        ellipse(open_ + 0.05, 0.7 + ring / 2, ring, ring),
        ellipse(-open_ - 0.05, 0.7 + ring / 2, ring, ring),
    ]


def _butterfly(rng: np.random.Generator) -> Strokes:
    """A body between two large and two small wings, usually with feelers."""
    upper, lower = rng.uniform(0.6, 0.8), rng.uniform(0.4, 0.55)
    wings = [
        ellipse(side * size * 0.55, y, size, size * 0.9)
        for side in (-1, 1)
        for size, y in ((upper, -0.3), (lower, 0.35))
    ]
    feelers = [line((0, -0.6), (side * 0.2, -1)) for side in (-1, 1)]
    return [*wings, line((0, -0.6), (0, 0.7)), *(feelers if rng.random() < 0.7 else [])]


def _glasses(rng: np.random.Generator) -> Strokes:
    """Two lenses, a bridge and two temples."""
    lens, tall = rng.uniform(0.45, 0.6), rng.uniform(0.35, 0.6)
    return [
        ellipse(-0.4, 0, lens, tall),
        ellipse(0.4, 0, lens, tall),
        line((-0.4 + lens / 2, 0), (0.4 - lens / 2, 0)),
        line((-0.4 - lens / 2, 0), (-0.9, -0.25)),
        line((0.4 + lens / 2, 0), (0.9, -0.25)),
    ]


def _anchor(rng: np.random.Generator) -> Strokes:
    """A ring, a shank, a stock and two flukes."""
    arm = ellipse(0, 0.5, rng.uniform(0.9, 1.3), 1.0, start=0.1, turns=0.47)
    return [ellipse(0, -0.85, 0.25, 0.25), line((0, -0.72), (0, 1)), line((-0.35, -0.5), (0.35, -0.5)), arm]


def _bottle(rng: np.random.Generator) -> Strokes:
    """A bottle's outline, usually with a label or a liquid level."""
    neck, shoulder, body = rng.uniform(0.1, 0.18), rng.uniform(0.3, 0.45), rng.uniform(0.25, 0.4)
    right = [(neck, -1), (neck, -1 + shoulder), (body, -0.4), (body, 1)]
    bottle = [line(*right, *((-x, y) for x, y in right[::-1]), right[0])]
    if rng.random() < 0.7:
        bottle += [line((-body, y), (body, y)) for y in (0.1, 0.6)[: int(rng.integers(1, 3))]]
    return bottle


def _house(rng: np.random.Generator) -> Strokes:
    """Walls, a roof and a door."""
    roof, door = rng.uniform(0.4, 0.8), rng.uniform(0.15, 0.3)
    walls = [line((-0.7, 0), (-0.7, 1), (0.7, 1), (0.7, 0)), line((-0.9, 0), (0, -roof), (0.9, 0), (-0.9, 0))]
    return [*walls, line((-door, 1), (-door, 0.5), (door, 0.5), (door, 1))]


def _clock(rng: np.random.Generator) -> Strokes:
    """A dial with two hands, sometimes with marks at the quarters."""
    hands = [
        line((0, 0), (reach * np.cos(a), reach * np.sin(a)))
        for reach, a in zip((0.5, 0.8), rng.uniform(0, 6, 2), strict=True)
    ]
    marks = [line((0.85 * np.cos(a), 0.85 * np.sin(a)), (np.cos(a), np.sin(a))) for a in np.arange(4) * np.pi / 2]
    return [ellipse(0, 0, 2, 2), *hands, *(marks if rng.random() < 0.5 else [])]


def _snail(rng: np.random.Generator) -> Strokes:
    """A shell of one and a half to three turns on a body with feelers."""
    turns = rng.uniform(1.5, 3)
    angle = np.linspace(0, 2 * np.pi * turns, int(24 * turns))
    shell = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (0.6 * angle / angle[-1])[:, None]
    feelers = [line((1.1, 0.3), (1.3, -0.1)), line((1.1, 0.3), (1.1, -0.15))]
    return [shell, line((-0.8, 0.65), (0.9, 0.65), (1.1, 0.3)), *feelers]


def _mushroom(rng: np.random.Generator) -> Strokes:
    """A cap, a stalk, and usually spots."""
    angle, stalk = np.linspace(np.pi, 2 * np.pi, 30), rng.uniform(0.15, 0.3)
    cap = np.stack([np.cos(angle), rng.uniform(0.6, 1) * np.sin(angle)], axis=-1)
    parts = [np.concatenate([cap, cap[:1]]), line((-stalk, 0), (-stalk, 0.8), (stalk, 0.8), (stalk, 0))]
    spots = [ellipse(x, -0.3, 0.2, 0.15) for x in (-0.4, 0.1, 0.5)]
    return [*parts, *(spots if rng.random() < 0.6 else [])]


def _boat(rng: np.random.Generator) -> Strokes:
    """A hull, a mast and one or two sails."""
    mast = rng.uniform(1, 1.5)
    sails = [line((0.05, -mast), (0.8, -0.1), (0.05, -0.1)), line((-0.05, -mast * 0.9), (-0.6, -0.1), (-0.05, -0.1))]
    hull = line((-1, 0.1), (1, 0.1), (0.6, 0.6), (-0.6, 0.6), (-1, 0.1))
    return [hull, line((0, 0.1), (0, -mast)), *sails[: int(rng.integers(1, 3))]]


def _hat(rng: np.random.Generator) -> Strokes:
    """A crown on a wide brim, usually with a band."""
    tall, wide = rng.uniform(0.7, 1.2), rng.uniform(0.4, 0.6)
    crown = line((-wide, 0), (-wide * 0.8, -tall), (wide * 0.8, -tall), (wide, 0))
    band = line((-wide, -0.2), (wide, -0.2))
    return [crown, ellipse(0, 0.05, 2, rng.uniform(0.2, 0.45)), *([band] if rng.random() < 0.6 else [])]


def _envelope(rng: np.random.Generator) -> Strokes:
    """A rectangle with a flap."""
    tall = rng.uniform(0.5, 0.7)
    return [line((-1, -tall), (1, -tall), (1, tall), (-1, tall), (-1, -tall)), line((-1, -tall), (0, 0.1), (1, -tall))]


def _lamp(rng: np.random.Generator) -> Strokes:
    """A shade on a foot, or hanging from a cord."""
    shade = line((-0.4, -0.5), (0.4, -0.5), (0.8, 0.3), (-0.8, 0.3), (-0.4, -0.5))
    if rng.random() < 0.4:
        return [shade, line((0, -0.5), (0, -1.2)), ellipse(0, 0.4, 0.3, 0.3)]
    return [shade, line((0, 0.3), (0, 1.1)), line((-rng.uniform(0.3, 0.6), 1.1), (0.5, 1.1))]


def _crown(rng: np.random.Generator) -> Strokes:
    """Three to five points above a band."""
    points = int(rng.integers(3, 6))
    x, deep = np.linspace(-1, 1, 2 * points - 1), rng.uniform(0.3, 0.6)
    zigzag = [(float(at), -0.6 if index % 2 == 0 else -0.6 + deep) for index, at in enumerate(x)]
    return [line((-1, 0.6), *zigzag, (1, 0.6), (-1, 0.6)), *([line((-1, 0.4), (1, 0.4))] if rng.random() < 0.5 else [])]


def _bicycle(rng: np.random.Generator) -> Strokes:
    """Two wheels and a frame."""
    wheel = rng.uniform(0.7, 0.9)
    frame = line((-0.7, 0.4), (-0.2, -0.3), (0.5, -0.3), (0.7, 0.4), (0, 0.4), (-0.2, -0.3))
    return [ellipse(-0.7, 0.4, wheel, wheel), ellipse(0.7, 0.4, wheel, wheel), frame, line((0.5, -0.3), (0.45, -0.6))]


FIRST: dict[str, Callable[[np.random.Generator], Strokes]] = {
    "face": _face,
    "spiral": _spiral,
    "star": _star,
    "wave": _wave,
    "heart": _heart,
    "hatching": _hatching,
    "cloud": _cloud,
    "sun": _sun,
    "fish": _fish,
    "tree": _tree,
    "cup": _cup,
    "car": _car,
    "note": _note,
}
SECOND: dict[str, Callable[[np.random.Generator], Strokes]] = {  # measured only after the judge was final
    "moon": _moon,
    "key": _key,
    "flag": _flag,
    "umbrella": _umbrella,
    "leaf": _leaf,
    "scissors": _scissors,
    "butterfly": _butterfly,
    "glasses": _glasses,
    "anchor": _anchor,
    "bottle": _bottle,
}
THIRD: dict[str, Callable[[np.random.Generator], Strokes]] = {  # measured only after the judge was final, too
    "house": _house,
    "clock": _clock,
    "snail": _snail,
    "mushroom": _mushroom,
    "boat": _boat,
    "hat": _hat,
    "envelope": _envelope,
    "lamp": _lamp,
    "crown": _crown,
    "bicycle": _bicycle,
}
