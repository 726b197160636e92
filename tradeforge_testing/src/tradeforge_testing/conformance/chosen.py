"""Which provider the command line has named: the class of the kit is made when pytest looks."""

_chosen: list[str] = []


def choose(provider: str) -> None:
    """Let the kit that pytest collects next be about this provider."""
    _chosen[:] = [provider]


def chosen() -> str:
    """The provider that was chosen last. Raises `LookupError` if none was."""
    if not _chosen:
        raise LookupError("name a provider: pytest --tradeforge-provider NAME")
    return _chosen[0]
