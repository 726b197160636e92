"""The shape of the core: short functions, small files, everything annotated."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

import tradeforge_core

ROOT = Path(tradeforge_core.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def _length(function: Function) -> int:
    """Lines, without the docstring."""
    begin, end = function.lineno, function.end_lineno or function.lineno
    docstring = function.body[0] if ast.get_docstring(function) else None
    in_docstring = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return end - begin + 1 - in_docstring


def test_functions_are_short() -> None:
    lengths = [_length(function) for path in FILES for function in _functions(path)]
    assert statistics.median(lengths) <= 8
    assert statistics.quantiles(lengths, n=10)[-1] <= 25
    assert max(lengths) <= 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_small_annotated_and_says_what_it_holds(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) < 400
    assert ast.get_docstring(ast.parse(source))
    for function in _functions(path):
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        missing = [one.arg for one in named if one.annotation is None]
        assert set(missing) <= {"self", "cls", "instance", "attribute"}, function.name
        assert function.returns is not None, function.name
