"""The demo without a picture: its story line by line, or nothing at all."""

from rich.console import Console
from rich.text import Text

from tradeforge_cli.demo.record import DemoRecord, Moment


class StoryLines:
    """Writes every line of the story once."""

    def __init__(self, record: DemoRecord, console: Console) -> None:
        self._record = record
        self._console = console
        self._written = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        pass

    def paint(self) -> None:
        fresh = self._record.story[self._written :]
        self._written += len(fresh)
        for moment in fresh:
            self._console.print(story_line(moment, self._record), soft_wrap=True)
        if fresh:
            self._console.file.flush()  # into a pipe as well, while it happens


class Nothing:
    """For a program that waits for the answer only."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        pass

    def paint(self) -> None:
        pass


def story_line(moment: Moment, record: DemoRecord) -> Text:
    seconds = (moment.at - record.began).total_seconds()
    return Text.assemble((f"{seconds:5.1f} s  ", "dim"), moment.text)
