"""Whether SQLite's write-ahead log was cut at its end, as by a crash, or is damaged in the middle.

SQLite reads the log up to the first frame that does not fit, and takes all behind it for the rest
of a write that never ended. Where whole transactions follow, they had ended: what they hold was
promised to be kept, and to go on without it would forget orders.
"""

import sys
from array import array
from collections.abc import Iterator
from itertools import islice

_HEADER = 32
_FRAME_HEADER = 24
_MAGIC = (0x377F0682, 0x377F0683)  # the checksums are made of little, of big endian words

Sums = tuple[int, int]


def is_damaged(log: bytes) -> bool:
    """Whether transactions that were whole once stand behind something that cannot be read."""
    if len(log) < _HEADER + _FRAME_HEADER:
        return False
    sums = _checked(log[: _HEADER - 8], log[:4], (0, 0))
    if _magic(log) not in _MAGIC or sums != _sums(log, _HEADER - 8):
        return True  # it is on disk before the first frame is
    frames = list(_frames(log))
    return _goes_on(islice(frames, _readable(frames, log[:24], sums), None), log[16:24])


def _goes_on(rest: Iterator[bytes], salt: bytes) -> bool:
    """Whether anything of this log follows after the end of a transaction in `rest`.

    Frames with another salt are left from an earlier use of the file.
    """
    ended = False
    for frame in rest:
        if frame[8:16] == salt:
            if ended:
                return True
            ended = frame[4:8] != bytes(4)
    return False


def _readable(frames: list[bytes], header: bytes, sums: Sums) -> int:
    """How many frames fit, from the first on."""
    for number, frame in enumerate(frames):
        sums = _checked(frame[:8] + frame[_FRAME_HEADER:], header[:4], sums)
        if frame[8:16] != header[16:24] or sums != _sums(frame, 16):
            return number
    return len(frames)


def _frames(log: bytes) -> Iterator[bytes]:
    size = _FRAME_HEADER + int.from_bytes(log[8:12], "big")
    for begin in range(_HEADER, len(log) - size + 1, size):
        yield log[begin : begin + size]


def _magic(log: bytes) -> int:
    return int.from_bytes(log[:4], "big")


def _sums(data: bytes, at: int) -> Sums:
    return int.from_bytes(data[at : at + 4], "big"), int.from_bytes(data[at + 4 : at + 8], "big")


def _checked(data: bytes, magic: bytes, sums: Sums) -> Sums:
    words = array("I", data)
    if (sys.byteorder == "big") != bool(magic[3] & 1):
        words.byteswap()
    first, second = sums
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
