"""Crops: the part of a picture to read, and its rotation."""

import io
import math
from dataclasses import dataclass

from PIL import Image

from digits.errors import InvalidImage

_TURNS = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}
_SMALLEST = 0.1  # per cent; the smallest part of a part


@dataclass(frozen=True)
class Crop:
    """A part of a picture, in per cent of the rotated picture's width and height.

    Attributes:
        turns: the number of quarter turns clockwise by which the picture is rotated first, 0 to 3.
        left, right: the vertical edges, 0 <= left < right <= 100.
        top, bottom: the horizontal edges, 0 <= top < bottom <= 100.
    """

    turns: int = 0
    left: float = 0
    right: float = 100
    top: float = 0
    bottom: float = 100

    def __post_init__(self) -> None:
        if self.turns not in range(4):
            raise InvalidImage(f"A picture can be rotated by 0 to 3 quarter turns; received {self.turns}.")
        if not (0 <= self.left < self.right <= 100 and 0 <= self.top < self.bottom <= 100):
            raise InvalidImage(
                "A crop's edges must lie in [0, 100] per cent with something between them; received "
                f"{self.left} to {self.right} and {self.top} to {self.bottom}. Move them apart."
            )

    @property
    def is_whole(self) -> bool:
        """Whether the crop keeps the whole picture."""
        return (self.left, self.right, self.top, self.bottom) == (0, 100, 0, 100)

    @property
    def smaller_share(self) -> float:
        """The share of the picture's width or of its height that is kept, whichever is smaller, in (0, 1]."""
        return min(self.right - self.left, self.bottom - self.top) / 100

    def turned(self) -> "Crop":
        """Return the same part of the picture after another quarter turn clockwise."""
        return Crop((self.turns + 1) % 4, 100 - self.bottom, 100 - self.top, self.left, self.right)

    def part(self, left: float, top: float, right: float, bottom: float) -> "Crop":
        """Return the crop that keeps a part of this one's; its edges are shares of this one's width and height."""
        across, down = self.right - self.left, self.bottom - self.top
        x0, x1 = _edges(self.left + left * across, self.left + right * across)
        y0, y1 = _edges(self.top + top * down, self.top + bottom * down)
        return Crop(self.turns, x0, x1, y0, y1)

    def apply(self, picture: Image.Image) -> Image.Image:
        """Rotate a picture and cut the part out; the result has at least one pixel."""
        turned = self._turn(picture)
        return turned if self.is_whole else turned.crop(self._box(turned.size))

    def cut(self, picture: Image.Image, *, side: int) -> bytes:
        """Return the part of an RGB picture as a JPEG, reduced so that its longer side has at most `side` pixels."""
        part = self.apply(picture)
        if max(part.size) > side:
            part = part.copy()
            part.thumbnail((side, side), Image.Resampling.BOX)
        stream = io.BytesIO()
        part.save(stream, "JPEG", quality=85)
        return stream.getvalue()

    def _turn(self, picture: Image.Image) -> Image.Image:
        return picture.transpose(_TURNS[self.turns]) if self.turns else picture

    def _box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        width, height = size
        x0, y0 = min(int(width * self.left // 100), width - 1), min(int(height * self.top // 100), height - 1)
        return (
            x0,
            y0,
            max(x0 + 1, math.ceil(width * self.right / 100)),
            max(y0 + 1, math.ceil(height * self.bottom / 100)),
        )


def _edges(low: float, high: float) -> tuple[float, float]:
    """Bring two edges into [0, 100] per cent, with something between them."""
    low = min(max(round(min(low, high), 1), 0.0), 100 - _SMALLEST)
    return low, min(max(round(high, 1), low + _SMALLEST), 100.0)


WHOLE = Crop()
