"""Marks: which components of dark pixels are writing, and which are specks, frames or the picture's own edges."""

import numpy as np
import scipy

from digits.ink.pieces import Box

_LEAST_PIXELS = 6
_LEAST_SIZE = 0.03  # of the picture's shorter side; what is smaller is grain of the paper or the sensor
_SHARPNESS = 0.4  # the least sharpness of ink, as a share of the sharpest
_EDGE = 1 / 3  # the most of a picture's shorter side that a strip along the edge does not touch...
_SOLID = 0.6  # ...if it fills this share of its box, or lies along the edge; a digit cut off by it does neither
_SPECK = 0.2  # marks smaller than this share of the writing's size are specks
_FAINT = 0.45  # lines thinner than this share of the writing's strokes are what is left of rules
_FRAMED = 0.7  # a frame's box holds this share of the other ink
_RIM = 0.08  # of a box: a frame's lines lie so near to the edges of its box...
_BAR = 0.25  # a bar's width is less than this share of its length
_LONG_BAR = 1.8  # a bar so many times as long as a digit is printed; a loose bar of a 5 is shorter
_ABOVE = 0.3  # a loose bar of a 5 is so near above its body, in digits' sizes
_TALL = 1.4  # the height of a printed stem in digits' sizes; a 1 is less
_BORDER = 0.1  # printed scraps lie so near to the picture's edge, as a share of its sides...
_ON_BORDER = 0.9  # ...with this share of their pixels
_DEEP = 0.4  # ...or, outside of the writing, in digits' sizes; a cell's line is so far from its crop's edge
_SCRAP = 0.5  # smaller marks than this share of a digit's size are scraps
_ON_RIM = 0.8  # ...in this share of its pixels


def select(mask: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Keep the components that may be writing.

    They have sharp edges as ink does, strokes of a similar width, and sizes that are not tiny beside the others. Strips
    along the picture's edge and frames around the rest are no writing.

    Args:
        mask: bool (height, width), True is dark.
        contrast: float32 (height, width), as `paper.contrast` returns it.

    Returns:
        bool (height, width).
    """
    labels, count = scipy.ndimage.label(mask, structure=np.ones((3, 3)))
    if count <= 1:
        return mask
    sharpness = np.zeros(count + 1)
    np.maximum.at(sharpness, labels[mask], scipy.ndimage.gaussian_gradient_magnitude(contrast, 1)[mask])
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    boxes = _boxes(labels)
    sizes = boxes[:, 2:] - boxes[:, :2]
    keep = (areas >= _LEAST_PIXELS) & (sizes.max(axis=1) > _LEAST_SIZE * min(mask.shape))
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    contact = np.bincount(border, minlength=count + 1)
    solid = areas > _SOLID * sizes.prod(axis=1)
    keep = _unless_all(keep, (contact > _EDGE * min(mask.shape)) & (solid | (_on_rim(labels, areas) > _ON_RIM)))
    keep = _unless_all(keep, _are_frames(labels, boxes, areas, keep))
    keep = _unless_all(keep, _are_printed(labels, boxes, areas, keep))
    if not keep.any():
        return keep[labels]
    keep &= sharpness > _SHARPNESS * sharpness[keep].max()
    depths = scipy.ndimage.distance_transform_edt(mask)
    widths = np.bincount(labels[mask], depths[mask], minlength=count + 1) / np.maximum(areas, 1)
    keep = _unless_all(keep, widths < _FAINT * _median(widths, areas * keep))
    longest = sizes.max(axis=1)
    return _unless_all(keep, longest < _SPECK * _median(longest, areas * keep))[labels]


def _unless_all(keep: np.ndarray, dropped: np.ndarray) -> np.ndarray:
    """Drop some components, unless nothing would remain."""
    rest = keep & ~dropped
    return rest if rest.any() else keep


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the median of values with these weights."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _boxes(labels: np.ndarray) -> np.ndarray:
    """Return x0, y0, x1, y1 of each label, int (labels, 4); zeros for label 0."""
    boxes: list[Box] = [(0, 0, 0, 0)]
    for rows, columns in scipy.ndimage.find_objects(labels):
        boxes.append((columns.start, rows.start, columns.stop, rows.stop))
    return np.array(boxes)


def _on_rim(labels: np.ndarray, areas: np.ndarray, outside: Box | None = None, depth: float = 0.0) -> np.ndarray:
    """Return the share of each component's pixels that lie near the picture's edge, float (labels,).

    Outside of a box, the rim is at least `depth` pixels deep.
    """
    height, width = labels.shape
    depth_y, depth_x = (max(1, int(_BORDER * side)) for side in labels.shape)
    rim = np.ones(labels.shape, bool)
    rim[depth_y:-depth_y, depth_x:-depth_x] = False
    if outside:
        x0, y0, x1, y1 = outside
        rim[: min(y0, int(depth))] = rim[max(y1, height - int(depth)) :] = True
        rim[:, : min(x0, int(depth))] = rim[:, max(x1, width - int(depth)) :] = True
    return np.bincount(labels[rim], minlength=len(areas)) / np.maximum(areas, 1)


def _are_printed(labels: np.ndarray, boxes: np.ndarray, areas: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return which components are parts of printed lines.

    They are long bars, bars that stand higher than the writing, and scraps along the edge of the picture. Pieces of a
    cell's lines also lie a little farther inside, but not beside the writing unless they are longer than it is high.
    """
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    longest, shortest = np.maximum(widths, heights), np.minimum(widths, heights)
    is_slim = shortest < _BAR * longest
    is_sparse = areas < _BAR * widths * heights
    on_rim = _on_rim(labels, areas) > _ON_BORDER
    digits = _unless_all(keep & ~(is_sparse & on_rim), is_slim)
    if not (digits & ~is_slim).any():  # there are only ones
        digits = keep & ~on_rim & (heights > widths)
    if not digits.any():
        return np.zeros(len(boxes), bool)
    size = _median(heights, areas * digits)
    digits &= heights >= _SCRAP * size
    around = (*boxes[digits, :2].min(axis=0).tolist(), *boxes[digits, 2:].max(axis=0).tolist())
    on_rim = _on_rim(labels, areas, around, _DEEP * size) > _ON_BORDER
    is_bar = is_slim & (widths > heights) & (longest > _LONG_BAR * size)
    is_stem = is_slim & (heights >= widths)
    is_tall = is_stem & (longest > _TALL * size)
    is_scrap = (heights < _SCRAP * size) | is_slim | is_sparse
    ends = boxes[digits][:, [1, 3]]
    misses = np.abs(boxes[:, None, [1, 3]] - ends).max(axis=2).min(axis=1)  # (components,)
    reaches_beyond = (boxes[:, 1] < around[1]) & (boxes[:, 3] > around[3])
    is_rule = (areas > _SOLID * widths * heights) & reaches_beyond
    stands_like_a_digit = (heights >= widths) & (misses < _BAR * size) & ~is_rule
    stands_like_a_digit |= _are_just_above(boxes, boxes[digits], _ABOVE * size) & (widths > heights)
    return is_bar | is_tall | (on_rim & is_scrap & ~stands_like_a_digit)


def _are_just_above(boxes: np.ndarray, digits: np.ndarray, reach: float) -> np.ndarray:
    """Return which boxes end within a few pixels of the top of a digit, bool (boxes,)."""
    gaps = digits[:, 1] - boxes[:, None, 3]  # (boxes, digits)
    overlaps = (boxes[:, None, 0] < digits[:, 2]) & (digits[:, 0] < boxes[:, None, 2])
    return (overlaps & (np.abs(gaps) < reach)).any(axis=1)


def _are_frames(labels: np.ndarray, boxes: np.ndarray, areas: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return which components are frames: their box holds most other ink, and their pixels lie along its edges."""
    frames = np.zeros(len(boxes), bool)
    for index in np.flatnonzero(keep):
        x0, y0, x1, y1 = boxes[index]
        inside = keep & (boxes[:, :2] >= (x0, y0)).all(axis=1) & (boxes[:, 2:] <= (x1, y1)).all(axis=1)
        inside[index] = False
        others = areas[keep].sum() - areas[index]
        if inside.any() and areas[inside].sum() > _FRAMED * others:
            pixels = labels[y0:y1, x0:x1] == index
            margin_y, margin_x = max(2, int(_RIM * (y1 - y0))), max(2, int(_RIM * (x1 - x0)))
            core = pixels[margin_y:-margin_y, margin_x:-margin_x].sum()
            frames[index] = core < (1 - _ON_RIM) * areas[index]
    return frames
