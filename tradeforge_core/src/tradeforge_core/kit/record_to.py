"""Where a provider records."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge

from tradeforge_core.errors import ConfigError, NotSupported
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.recording import MOST_BYTES, FlightRecorder, Redactor

_MEGABYTE = 1024 * 1024
_KEPT = 4
"""Recordings in a folder, with the one that begins."""
_DAY = "[0-9]" * 8
"""So that `acme` takes none of `acme-futures` for one of its own."""
_log = logging.getLogger("tradeforge_core")


@frozen(kw_only=True)
class RecordTo:
    """A file, which must not be there yet; or `in_folder` a new file for each connection.

    A recording in a folder is no reason not to trade: what cannot be written there is logged, and
    of older recordings of the provider the three newest are kept.
    """

    path: Path
    most_bytes: int = field(default=MOST_BYTES, validator=ge(64 * 1024))
    in_folder: bool = False

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "RecordTo | None":
        """What the environment says. Raises `ConfigError`."""
        folder = settings.get("TRADEFORGE_RECORD")
        if folder is None:
            return None
        try:
            megabytes = float(settings.get("TRADEFORGE_RECORD_MB", MOST_BYTES / _MEGABYTE))
            most_bytes = int(megabytes * _MEGABYTE)
            return cls(path=Path(folder), most_bytes=most_bytes, in_folder=True)
        except (ValueError, OverflowError):
            raise ConfigError(
                "TRADEFORGE_RECORD_MB is a number of megabytes, such as 64, and not below 0.0625",
                variables=["TRADEFORGE_RECORD_MB"],
            ) from None

    def begin(
        self,
        name: str,
        clock: Clock,
        redactor: Callable[[], Redactor],
        about: Mapping[str, Any],
    ) -> FlightRecorder | None:
        """A recorder at work. Raises `OSError` and `NotSupported`, or in a folder gives None."""
        try:
            return FlightRecorder(
                self._file(name, clock),
                clock=clock,
                redactor=redactor(),
                about=about,
                most_bytes=self.most_bytes,
            )
        except (OSError, NotSupported) as error:
            if not self.in_folder:
                raise
            _log.error("nothing is recorded: %s", error)
            return None

    def _file(self, name: str, clock: Clock) -> Path:
        if not self.in_folder:
            return self.path
        self.path.mkdir(parents=True, exist_ok=True)
        for old in sorted(self.path.glob(f"{name}-{_DAY}T*.jsonl*"))[: 1 - _KEPT]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        return self.path / f"{name}-{clock.now():%Y%m%dT%H%M%S.%fZ}.jsonl"
