"""The faults that a `FaultProxy` has still to come, first planned first."""

from attrs import define

from tradeforge_testing.proxy.faults import Fault, NextConnection, NextRequest

Faults = tuple[Fault, ...]


@define
class _Planned:
    faults: Faults
    when: NextConnection | NextRequest
    left: int


class ProxyPlan:
    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def add(self, faults: Faults, when: NextConnection | NextRequest, count: int) -> None:
        self._planned.append(_Planned(faults, when, count))

    def forget(self) -> None:
        self._planned.clear()

    @property
    def left(self) -> int:
        """How many connections and requests the plan is still waiting for."""
        return sum(one.left for one in self._planned)

    def for_connection(self) -> Faults:
        """What happens to a connection that is accepted now."""
        wanted = (one for one in self._planned if isinstance(one.when, NextConnection))
        return self._take(next(wanted, None))

    def for_request(self, opening: bytes) -> Faults | None:
        """What happens to a request with these first bytes; None if they are too few to say."""
        for one in self._planned:
            if isinstance(one.when, NextRequest):
                if opening.startswith(one.when.prefix):
                    return self._take(one)
                if one.when.prefix.startswith(opening):
                    return None
        return ()

    def _take(self, planned: _Planned | None) -> Faults:
        if planned is None:
            return ()
        planned.left -= 1
        if not planned.left:
            self._planned.remove(planned)
        return planned.faults
