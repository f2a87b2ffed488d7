"""A real entropy coder: integers to bytes and back, near the entropy of their frequencies, the table of frequencies included.

It is range asymmetric numeral systems (rANS). One large integer, the state, holds all symbols so far. To push a symbol that has
the f slots from c on among the N slots of all symbols, the state s becomes (s // f) N + c + s mod f: it grows by the factor
N / f, so by log2(N / f) bits, and nothing is lost, as s mod N tells the symbol's slot, and with it what s was. Sixteen bits are
moved out of the state whenever the next symbol might make it too large.
Source: Duda (2013).
"""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
from jaxtyping import Int, Int64

_BITS, _MASK = 16, (1 << 16) - 1


def entropy_encode(symbols: Int[np.ndarray, " n"]) -> bytes:
    """Code integers, of any size up to 64 bits, into bytes.

    Their length is the entropy of the frequencies, plus a few bytes, plus the table: for each distinct integer its distance from
    the one before and how often it occurs, in one byte each if they are below 128.

    Raises:
        ValueError: if ``symbols`` is not a list of integers.
    """
    if symbols.ndim != 1 or not np.issubdtype(symbols.dtype, np.signedinteger):
        raise ValueError(
            f"symbols: got shape {symbols.shape} of {symbols.dtype}; expected signed integers of shape (n,)"
        )
    distinct, inverse, counts = np.unique(symbols, return_inverse=True, return_counts=True)
    values, frequencies = distinct.tolist(), counts.tolist()
    header = _varint(len(values))
    for before, value, count in zip([0, *values], values, frequencies):
        # Only the first value can lie below what is before it: its sign goes into the last bit.
        gap = value - before
        header += _varint(gap if value != values[0] else 2 * abs(gap) + (gap < 0)) + _varint(count)
    starts, total = [0, *accumulate(frequencies)], len(symbols)

    state = total << _BITS
    words: list[int] = []
    for symbol in reversed(inverse.tolist()):
        frequency = frequencies[symbol]
        while state >= frequency << 2 * _BITS:
            words.append(state & _MASK)
            state >>= _BITS
        state = state // frequency * total + starts[symbol] + state % frequency
    return header + _varint(state) + np.array(words, dtype="<u2").tobytes()


def entropy_decode(data: bytes) -> Int64[np.ndarray, " n"]:
    """The integers that :func:`entropy_encode` made ``data`` from, as 64-bit integers.

    Raises:
        ValueError: if the bytes cannot have come from there.
    """
    try:
        return _decode(data)
    except (IndexError, OverflowError, ZeroDivisionError) as error:
        raise ValueError(f"data: these {len(data)} bytes are damaged; expected what entropy_encode returned") from error


def _decode(data: bytes) -> Int64[np.ndarray, " n"]:
    num_values, at = _read_varint(data, 0)
    values: list[int] = []
    frequencies: list[int] = []
    for _ in range(num_values):
        gap, at = _read_varint(data, at)
        values.append(values[-1] + gap if values else (-(gap >> 1) if gap & 1 else gap >> 1))
        count, at = _read_varint(data, at)
        frequencies.append(count)
    starts, total = [0, *accumulate(frequencies)], sum(frequencies)
    state, at = _read_varint(data, at)
    words = np.frombuffer(data[at : at + (len(data) - at) // 2 * 2], dtype="<u2").tolist()
    if total > state or (len(data) - at) % 2:
        raise IndexError("the state is too small, or half a word is left")

    symbols = np.empty(total, dtype=np.int64)
    for i in range(total):
        slot = state % total
        symbol = bisect_right(starts, slot) - 1
        symbols[i] = values[symbol]
        state = frequencies[symbol] * (state // total) + slot - starts[symbol]
        while state < total << _BITS:
            state = state << _BITS | words.pop()
    if state != total << _BITS or words:
        raise IndexError("the state is not where encoding began")
    return symbols


def _varint(number: int) -> bytes:
    """Seven bits to a byte, lowest first; the eighth says that there are more."""
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at byte ``at``, and where the next one begins."""
    number = shift = 0
    while data[at] & 128:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1
