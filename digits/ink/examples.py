"""Examples: every digit as somebody might write it, for visitors who would rather see one drawn."""

import functools
import json

import numpy as np

from digits.ink import codec

HEIGHT = 240  # pixels of each digit

# As links hold them.
_DIGITS = {
    "0": "1Y0LA3CS1C0BtC0C7BsDpB8DRkEGgEe0D0BgDmCiCyCgB4CB4ClByCnCkChDyB3Dc_DEjET5DpBnD_BvCtCvB1CL",
    "1": "1DA0IiIzI_Cge",
    "2": "1YgCmJoBzDgBjCUdWVaPiDjBqCFiBCiCWsCoBmBa8B-BSgBIiBDiBLkBTmB7ByCrC2C5C8C9DwD_IqH4TmB",
    "3": "1gBsD6C4D5BmBNsCRiBCqCgBqBaqC-BcgBQgBEcNahBalGmDfcLeOeiBgBuGqEkBiBQiBDkBRmBZmBjBoBnBkBrBezCqBrBGnDN3BNtF3B",
    "4": "1DgEA_D2RoXAC7FhNvC4Y",
    "5": "1Y-DApB8M8E5BmBHmBAgBKkBUmBcmBkBoC0CcuBSqBEoBHqBVsBduBlBuB1CwCpBelBUnBKrBBtBH7FjCC-D7b4QA",
    "6": "1gBuOA7DgBnBQlBUlBcfmBb0B5B0EnD8KE8BU6BkBuBwBiB6BUgCA-BN6BfwBtBiB1BS7BA9BP5BhBxBtBjB"
    "5BV9BD9BM7BcxBqBjB2BV8BD-B",
    "7": "1DAUkTTtPge",
    "8": "1qB8EiDwC9B0BdaFYCcMeUiC4B0BiCQiBCcHaRcbazEqDnC8B3FmEjBiBZgBLiBEkBSqBcsBiBsBoBmBqBgBoBUkBImBHuBT-ClCsBrBkB"
    "rBapBMjBFfRhBdhB9EjEdfxClDjDpE",
    "9": "1gB0M-CblBlBbtBTxBHzBEzBOtBYnBiBdqBPsBFuBIuBUoBgBiBqBawBQyBE2BHyBRsBbkBjBYrBOrBAyDFqDH4BN2BTyBfyB_CuDnHgH",
}


@functools.cache
def digits() -> dict[str, list[np.ndarray]]:
    """Return the strokes of every digit, float32 (n, 2) each, from 0, about `HEIGHT` pixels high."""
    return {name: codec.decode(text) for name, text in _DIGITS.items()}


def script() -> str:
    """Return the digits as a line of JavaScript: each stroke is a list x, y, x, y, …"""
    flat = {name: [stroke.ravel().tolist() for stroke in drawn] for name, drawn in digits().items()}
    return f"const EXAMPLES = {json.dumps(flat)}\n"
