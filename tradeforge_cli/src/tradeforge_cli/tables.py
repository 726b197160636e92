"""Tables as commands print them: for a person in a terminal, and whole in a pipe."""

from rich import box
from rich.table import Table

from tradeforge_cli.terminal import output

_WIDE = 500
"""Into a pipe goes every character: a program has no window that is too narrow."""


def new_table(*columns: str) -> Table:
    """An empty table; only its last column may be folded."""
    table = Table(box=box.SIMPLE_HEAD if output().is_terminal else None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != columns[-1])
    return table


def show(table: Table) -> None:
    """Print it to standard output."""
    console = output()
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)
