"""Pictures: the ink on the paper of a photograph, a scan or a screenshot."""

import math

import numpy as np
import scipy
from PIL import Image

from digits.errors import InvalidImage
from digits.ink import paper, rules, writing
from digits.ink.sheet import cut_out

_SMALL = 240  # smaller pictures are enlarged while their ink is searched for
_OWN_DARKNESS = 0.8  # writing that is fainter than this share of all marks is looked for again
_MIN_CONTRAST = 0.12  # ink must be this much darker than its paper (hard pencil on white is about 0.2)
_MIN_SIGNAL = 4.5  # standard deviations of the paper's noise by which ink must exceed it
_MIN_INK_PIXELS = 6


def find_ink(picture: np.ndarray) -> np.ndarray:
    """Separate the ink from its paper, whichever of the two is darker.

    Shadows, the paper's colour, specks, and ruled lines that cross the whole picture are not ink.

    Args:
        picture: float32 (height, width), 0 is black and 1 is white.

    Returns:
        ink: float32 (height, width), 0 is paper and 1 is ink; all 0 when the page is blank.

    Raises:
        InvalidImage: the picture is not two-dimensional, is empty or is not all finite.
    """
    picture = np.asarray(picture, dtype=np.float32)
    if picture.ndim != 2 or picture.size == 0 or not np.isfinite(picture).all():
        raise InvalidImage(
            f"`picture` must be a grey array (height, width) of finite numbers; received {picture.shape}."
        )
    factor = math.ceil(_SMALL / max(picture.shape))  # a rule is hard to tell from a stroke where both have a pixel
    shape = (picture.shape[0] * factor, picture.shape[1] * factor)
    large = paper.enlarged(picture, shape, Image.Resampling.BICUBIC) if factor > 1 else picture
    sheet, place = cut_out(large)
    ink = np.zeros_like(large)
    ink[place] = _find_on_sheet(sheet)
    return ink if factor == 1 else np.asarray(Image.fromarray(ink).reduce(factor))


def _decode(data: bytes, crop: Crop, side: int, opaque_mode: str) -> Image.Image:
    """Decode a file into an upright picture, cropped and reduced to `side`; RGBA if it is transparent."""
    if not data:
        raise InvalidImage("The picture is empty: the file has 0 bytes.")
    if len(data) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES / 2**20
        raise InvalidImage(f"A picture may have {limit:.0f} MB; this one has {len(data) / 2**20:.1f} MB. Reduce it.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidImage(
            f"A picture may have {settings.MAX_IMAGE_PIXELS:,} pixels; this one has far more."
        ) from error
    except _BROKEN as error:
        raise InvalidImage(f"This file is not a picture in one of the formats {', '.join(FORMATS)}.") from error
    if image.width * image.height > settings.MAX_IMAGE_PIXELS:  # the header has the size, so nothing is decoded yet
        size = f"{image.width:,} × {image.height:,}"
        raise InvalidImage(f"A picture may have {settings.MAX_IMAGE_PIXELS:,} pixels; this one has {size}. Reduce it.")
    needed = math.ceil(side / crop.smaller_share)
    try:
        image.draft(None, (needed, needed))  # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size
        upright = ImageOps.exif_transpose(image)  # which decodes it
    except _BROKEN as error:
        raise InvalidImage("This picture is broken or truncated. Save it again, and upload that file.") from error
    return _reduced(crop.apply(upright), side, opaque_mode)


def _reduced(image: Image.Image, side: int, opaque_mode: str) -> Image.Image:
    """Reduce the longer side to `side`, in a mode that Pillow can average."""
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel; Pillow's own conversion would clip at 255
        values = np.asarray(image, dtype=np.float32)
        image = Image.fromarray((values / max(1.0, float(values.max())) * 255).astype(np.uint8))
    image = image.convert("RGBA" if image.has_transparency_data else opaque_mode)
    image.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    return image


def _grey(image: Image.Image) -> np.ndarray:
    """Turn an L or RGBA image into float32 (height, width), with a contrasting paper below transparent parts."""
    if image.mode == "L":
        return np.asarray(image, dtype=np.float32) / 255
    alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255
    luma = np.asarray(image.convert("RGB").convert("L"), dtype=np.float32) / 255
    opacity = float(alpha.mean())
    if opacity == 0:
        return np.ones_like(alpha)
    if opacity < 0.5:  # ink without paper: put white paper below dark ink, black paper below light ink
        paper = 1.0 if float((luma * alpha).sum() / alpha.sum()) < 0.5 else 0.0
    else:  # a page with holes or soft edges
        paper = float(np.median(luma[alpha > 0.5]))
    return luma * alpha + paper * (1 - alpha)


def _find_on_sheet(sheet: np.ndarray) -> np.ndarray:
    """Separate the ink from its paper; arguments as for `find_ink`."""
    blank = np.zeros_like(sheet)
    contrast = rules.erase(paper.contrast(sheet))
    floor = _noise_floor(contrast)
    candidates = contrast > floor
    if candidates.sum() < _MIN_INK_PIXELS:
        return blank
    darkness = _ink_darkness(contrast, candidates)
    mask, ink = _dark_marks(contrast, candidates, darkness)
    own = _ink_darkness(contrast, ink)
    if own < _OWN_DARKNESS * darkness:  # darker things than the writing had set the scale
        candidates &= ~(mask & ~ink)
        darkness = own
        _, ink = _dark_marks(contrast, candidates, darkness)
    if ink.sum() < _MIN_INK_PIXELS:
        return blank
    return np.where(ink, np.clip(contrast / darkness, 0, 1), 0).astype(np.float32)


def _dark_marks(contrast: np.ndarray, candidates: np.ndarray, darkness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return all pixels that are dark enough to be ink, and those of them that may be writing."""
    # a blurred edge is at half the ink's darkness; fainter pixels count where they touch a dark one
    certain = candidates & (contrast > 0.5 * darkness)
    possible = candidates & (contrast > 0.3 * darkness)
    mask = scipy.ndimage.binary_propagation(certain, structure=np.ones((3, 3)), mask=possible)
    return mask, writing.select(mask, contrast)


def _noise_floor(contrast: np.ndarray) -> float:
    """Return the contrast above which a pixel is more than the paper's noise.

    The lowest third of the pixels is always paper. In a normal distribution the 5th and the 30th percentile are 1.12
    standard deviations apart.
    """
    low, middle = np.percentile(contrast[::2, ::2], [5, 30])
    return max(_MIN_CONTRAST / 2, float(middle + _MIN_SIGNAL * (middle - low) / 1.12))


def _ink_darkness(contrast: np.ndarray, candidates: np.ndarray) -> float:
    """Return the contrast of full ink, at least `_MIN_CONTRAST`."""
    if not candidates.any():
        return 1.0
    return max(_MIN_CONTRAST, float(np.percentile(contrast[candidates], 85)))
