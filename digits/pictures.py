"""Pictures: from the bytes of a photograph, a scan or a screenshot to the ink on the paper."""

import io

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from digits import settings
from digits.errors import InvalidImage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_SIDE = 800  # larger pictures are reduced: a digit of a tenth of the page still has 80 pixels

_PAPER_SIDE = 96  # the paper's brightness is estimated on a picture of this size...
_PAPER_WINDOW = 33  # ...by closing with this window, so strokes up to a third of the picture wide are ink
_MIN_CONTRAST = 0.12  # ink must be this much darker than its paper (hard pencil on white is about 0.2)
_MIN_SIGNAL = 4.0  # and this many times the paper's noise
_MIN_INK_PIXELS = 6


def load_picture(data: bytes) -> np.ndarray:
    """Decode an uploaded picture.

    The picture is turned as its EXIF tag says. Where it is transparent it gets a paper that its ink shows on.

    Args:
        data: a PNG, JPEG, WebP, GIF (its first frame) or BMP file.

    Returns:
        picture: float32 (height, width), 0 is black and 1 is white; the longer side has at most `MAX_SIDE` pixels.

    Raises:
        InvalidImage: the file is empty, too large, of another format, broken, or unfolds to too many pixels.
    """
    if not data:
        raise InvalidImage("The picture is empty: the file has 0 bytes.")
    if len(data) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES / 2**20
        raise InvalidImage(f"A picture may have {limit:.0f} MB; this one has {len(data) / 2**20:.1f} MB. Reduce it.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them raise
        raise InvalidImage(f"This file is not a picture in one of the formats {', '.join(FORMATS)}.") from error
    if image.width * image.height > settings.MAX_IMAGE_PIXELS:  # known before anything is decoded
        size = f"{image.width:,} × {image.height:,}"
        raise InvalidImage(f"A picture may have {settings.MAX_IMAGE_PIXELS:,} pixels; this one has {size}. Reduce it.")
    try:
        image.draft(None, (MAX_SIDE, MAX_SIDE))  # lets a JPEG decode at a half, a quarter or an eighth
        return _grey(_reduced(ImageOps.exif_transpose(image)))
    except Exception as error:
        raise InvalidImage("This picture is broken or was cut short; save it again and upload it anew.") from error


def find_ink(picture: np.ndarray) -> np.ndarray:
    """Separate the ink from its paper, whichever is the darker.

    Shadows and the paper's colour, specks, and ruled lines that cross the whole picture are left out.

    Args:
        picture: float32 (height, width), 0 is black and 1 is white.

    Returns:
        ink: float32 (height, width), 0 is paper and 1 is ink; all 0 when the page is blank.

    Raises:
        InvalidImage: the picture is not two-dimensional, is empty or holds something other than numbers.
    """
    picture = np.asarray(picture, dtype=np.float32)
    if picture.ndim != 2 or picture.size == 0 or not np.isfinite(picture).all():
        raise InvalidImage(f"`picture` must be a grey array (height, width) of numbers; received {picture.shape}.")
    blank = np.zeros_like(picture)
    contrast = _contrast(_dark_ink(picture))
    floor = _noise_floor(contrast)
    candidates = contrast > floor
    if candidates.sum() < _MIN_INK_PIXELS:
        return blank
    candidates &= ~_ruled_lines(candidates)
    # half the ink's own darkness is where a blurred edge lies; fainter parts count where they touch a dark one
    darkness = _ink_darkness(contrast, candidates)
    certain = candidates & (contrast > 0.5 * darkness)
    possible = candidates & (contrast > 0.3 * darkness)
    mask = _without_specks(ndimage.binary_propagation(certain, structure=np.ones((3, 3)), mask=possible))
    if mask.sum() < _MIN_INK_PIXELS:
        return blank
    return np.where(mask, np.clip(contrast / darkness, 0, 1), 0).astype(np.float32)


def _reduced(image: Image.Image) -> Image.Image:
    """Bring the longer side to `MAX_SIDE`, in a mode that Pillow can average."""
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel; Pillow's own conversion would clip at 255
        values = np.asarray(image, dtype=np.float32)
        image = Image.fromarray((values / max(1.0, float(values.max())) * 255).astype(np.uint8))
    image = image.convert("RGBA" if image.has_transparency_data else "L")
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX, reducing_gap=None)
    return image


def _grey(image: Image.Image) -> np.ndarray:
    """Turn an L or RGBA image into float32 (height, width), laying transparent parts on a fitting paper."""
    if image.mode == "L":
        return np.asarray(image, dtype=np.float32) / 255
    alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255
    luma = np.asarray(image.convert("RGB").convert("L"), dtype=np.float32) / 255
    opacity = float(alpha.mean())
    if opacity == 0:
        return np.ones_like(alpha)
    if opacity < 0.5:  # ink on nothing: white paper below dark ink, black paper below light ink
        paper = 1.0 if float((luma * alpha).sum() / alpha.sum()) < 0.5 else 0.0
    else:  # a page with holes or soft edges
        paper = float(np.median(luma[alpha > 0.5]))
    return luma * alpha + paper * (1 - alpha)


def _dark_ink(picture: np.ndarray) -> np.ndarray:
    """Return the picture, or its negative when its ink is lighter than its paper.

    The border is mostly paper. A plane laid through it tells the paper's brightness with its shadow; what differs from
    it inside is ink.
    """
    small = _resized(picture, _PAPER_SIDE)
    height, width = small.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    ring = np.ones(small.shape, dtype=bool)
    ring[max(1, height // 16) : -max(1, height // 16), max(1, width // 16) : -max(1, width // 16)] = False
    for _ in range(3):  # robustly: strokes that reach the border are dropped in the second and third round
        solution = np.linalg.lstsq(terms[ring], small[ring], rcond=None)[0]
        difference = small - terms @ solution
        spread = np.abs(difference[ring])
        ring &= np.abs(difference) <= max(2.5 * float(np.median(spread)), 1e-3)
    darker, lighter = np.minimum(difference, 0), np.maximum(difference, 0)
    return 1 - picture if (lighter**2).sum() > (darker**2).sum() else picture


def _contrast(picture: np.ndarray) -> np.ndarray:
    """How much darker each pixel is than the paper around it: 0 is as bright, 1 is black."""
    small = _resized(picture, _PAPER_SIDE)
    paper = ndimage.grey_closing(small, size=_PAPER_WINDOW, mode="nearest")
    paper = ndimage.gaussian_filter(paper, 2)
    paper = np.asarray(Image.fromarray(paper).resize(picture.shape[::-1], Image.Resampling.BILINEAR))
    return np.clip(1 - picture / np.maximum(paper, 0.05), 0, 1)


def _noise_floor(contrast: np.ndarray) -> float:
    """The contrast above which a pixel is more than the paper's grain, from the paper's own spread."""
    middle = float(np.median(contrast))
    spread = 1.4826 * float(np.median(np.abs(contrast - middle)))
    return max(_MIN_CONTRAST / 2, middle + _MIN_SIGNAL * spread)


def _ink_darkness(contrast: np.ndarray, candidates: np.ndarray) -> float:
    """The contrast of full ink, at least `_MIN_CONTRAST`."""
    if not candidates.any():
        return 1.0
    return max(_MIN_CONTRAST, float(np.percentile(contrast[candidates], 85)))


def _ruled_lines(mask: np.ndarray) -> np.ndarray:
    """Find the thin lines that run from one edge of the picture to the other: bool (height, width)."""
    across = _lines_across(mask)
    return across | _lines_across(mask.T).T


def _lines_across(mask: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    margin = max(1, width // 32)
    if not (mask[:, :margin].any() and mask[:, -margin:].any()):
        return np.zeros_like(mask)
    thickness = max(2, height // 64)
    thick = ndimage.binary_opening(mask, np.ones((thickness + 1, 1)))
    flat = ndimage.binary_opening(mask & ~thick, np.ones((1, max(5, width // 24))))
    if not flat.any():
        return flat
    # join over the gaps where the digit crosses the line, allowing for a line that is not quite level
    joined = ndimage.binary_closing(
        np.pad(ndimage.binary_dilation(flat, np.ones((3, 1))), ((0, 0), (width, width)), mode="edge"),
        np.ones((1, max(5, width // 4))),
    )[:, width : 2 * width]
    labels, _ = ndimage.label(joined, structure=np.ones((3, 3)))
    through = np.intersect1d(labels[:, :margin], labels[:, -margin:])
    return flat & np.isin(labels, through[through > 0])


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """Keep the parts that may belong to writing: not tiny beside the largest, and no strip along the picture's edge."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if count == 0:
        return mask
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    contact = np.bincount(edge, minlength=count + 1)
    areas[0] = 0
    strip = contact > min(mask.shape) / 3
    if not strip[1:].all():
        areas[strip] = 0
    return (areas >= max(_MIN_INK_PIXELS, 0.02 * areas.max()))[labels]


def _resized(picture: np.ndarray, side: int) -> np.ndarray:
    """Reduce to at most `side` pixels, by area."""
    factor = side / max(picture.shape)
    if factor >= 1:
        return picture
    size = tuple(max(1, round(length * factor)) for length in picture.shape[::-1])
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
