"""What moves a market: the crowd step by step, or a walk to a price."""

from attrs import frozen

from tradeforge_testing.exchange.market import Market
from tradeforge_testing.exchange.matching import Matching


@frozen
class Movement:
    matching: Matching

    def step(self, market: Market) -> None:
        """One step of the crowd."""
        market.crowd.wander(market.tape.last)
        self.matching.settle(market)
        impulse = market.crowd.impulse()
        if impulse is None:
            return
        best = market.book.best(impulse.side.opposite)
        if best is not None:
            self.matching.trade(market, impulse.side, best, impulse.size)

    def walk(self, market: Market, target: int) -> None:
        """Trade up or down to the price, filling and triggering all that lies on the way."""
        while self._move_on(market, target) != target:
            pass

    def _move_on(self, market: Market, target: int) -> int:
        """Trade at the next price on the way where something happens; the last price then."""
        side = market.heading(target)
        station = market.next_station(side, target)
        market.crowd.stand(side, station)
        self.matching.settle(market)
        waiting = market.book.users_size(side.opposite, station)
        self.matching.trade(market, side, station, waiting + 1)
        return market.tape.last
