"""What a way to watch the demo has to do."""

from typing import Protocol


class DemoView(Protocol):
    def __enter__(self) -> object: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def paint(self) -> None:
        """Show what the record has by now; called several times a second, and at the end."""
