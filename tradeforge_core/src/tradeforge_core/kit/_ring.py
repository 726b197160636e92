"""Lines on disk, never more than so many bytes of them: the oldest go when new ones need room.

While it is written it is a folder of segments. The first one stays for ever: how a recording began
explains all the rest of it.
"""

import os
import shutil
from collections import deque
from pathlib import Path

SEGMENTS = 8
"""So many make up the whole; one at a time is dropped."""
_MODE = 0o600


def parts_of(path: Path) -> Path:
    """The folder of the segments, until they are joined in the file of this name."""
    return path.with_name(f"{path.name}.parts")


class Ring:
    """Writes each line at once, so that a process that is killed leaves all that it wrote.

    Raises `FileExistsError`, and `OSError` from every method.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        if path.exists():
            raise FileExistsError(f"{path} is there already: move it away, or record elsewhere")
        self._path = path
        self._folder = parts_of(path)
        self._folder.mkdir(mode=0o700)
        self.longest = most_bytes // (SEGMENTS + 1)
        """Bytes of a line for which there is room; a segment is twice there when it is joined."""
        self._segments: deque[Path] = deque()
        self._file = -1
        self._next()

    def append(self, line: bytes) -> None:
        if self._written + len(line) > self.longest:
            self._next()
        self._written += len(line)
        if os.write(self._file, line) < len(line):
            raise OSError("the disk took half a line")

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(one.stat().st_size for one in self._segments)

    def close(self) -> None:
        """Leave the segments as they are."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def join(self) -> None:
        """Make one file of the segments; it has its name once it is whole."""
        self.close()
        whole, *rest = self._segments
        with whole.open("ab") as file:
            for segment in rest:
                with segment.open("rb") as more:
                    shutil.copyfileobj(more, file, 1024 * 1024)
                file.flush()  # it must be there before the other one goes
                segment.unlink()  # at once: a recording never takes the disk twice
        os.replace(whole, self._path)
        self._folder.rmdir()

    def _next(self) -> None:
        self.close()
        number = int(self._segments[-1].stem) + 1 if self._segments else 0
        segment = self._folder / f"{number:08}.jsonl"
        self._file = os.open(segment, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, _MODE)
        self._segments.append(segment)
        self._written = 0
        if len(self._segments) > SEGMENTS:
            self._segments[1].unlink()
            del self._segments[1]
