"""`tradeforge new-provider`: a package to begin with, which already keeps the contract."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeforge_cli.failures import UsageError
from tradeforge_cli.terminal import output
from tradeforge_cli.tools import tool

_HERE = Path()


def new_provider(
    name: Annotated[str, Parameter(help="What users will call it, such as acme.")],
    /,
    *,
    directory: Annotated[Path, Parameter(help="Where to make the folder NAME_provider.")] = _HERE,
) -> int:
    """Write a complete provider with its sandbox, its tests and its CI file.

    It speaks to an invented venue, and is right: change it into yours, one area at a time, and let
    the conformance kit tell what is still right. Nothing that is there is overwritten.
    """
    try:
        files = tool("new_provider")(name, directory)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except FileExistsError as error:
        raise UsageError(f"{error.filename} is there already: nothing was written") from error
    _tell(name, directory / f"{name}_provider", files)
    return 0


def _tell(name: str, package: Path, files: list[Path]) -> None:
    place = package if package.is_absolute() else f"./{package}"
    output().print(f"{len(files)} files in {place}. Go on with:", soft_wrap=True, markup=False)
    for line in (
        f"pip install -e '{place}[sandbox]'",
        f"tradeforge conformance {name} --only LIF",
    ):
        output().print(f"  {line}", soft_wrap=True, markup=False)
