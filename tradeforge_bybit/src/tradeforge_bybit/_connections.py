"""Makes the sockets of one provider: of each category of the market, of the account, of orders."""

from collections.abc import Awaitable, Callable

from attrs import field, frozen

from tradeforge_bybit._account_events import AccountReader
from tradeforge_bybit._links import PRIVATE, VenueLink, log_in
from tradeforge_bybit._market_events import MarketReader, Memory
from tradeforge_bybit._order_socket import Line, OrderSocket
from tradeforge_bybit._signing import Signer
from tradeforge_bybit._socket import SocketLimits, Tap
from tradeforge_bybit._writes import Writes
from tradeforge_bybit.config import BybitConfig
from tradeforge_core.kit.clock import Clock
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.supervisor import StreamTimeouts
from tradeforge_core.streams.switchboard import Switchboard

MeasureTime = Callable[[], Awaitable[None]]


@frozen(kw_only=True)
class Connections:
    """What does not change from one connection to the next."""

    config: BybitConfig
    switchboard: Switchboard
    clock: Clock
    signer: Signer
    limits: SocketLimits
    backoff: Backoff
    timeouts: StreamTimeouts
    memory: Memory = field(factory=Memory)

    def market(self, category: str, tap: Tap | None) -> VenueLink:
        return VenueLink(
            category,
            f"{self.config.public_url}/{category}",
            self.switchboard,
            self.clock,
            reader=MarketReader(self.memory),
            limits=self.limits,
            tap=tap,
        )

    def account(
        self, reader: AccountReader, measure_time: MeasureTime, tap: Tap | None
    ) -> VenueLink:
        return VenueLink(
            PRIVATE,
            self.config.private_url,
            self.switchboard,
            self.clock,
            reader=reader,
            limits=self.limits,
            log_in=log_in(self.signer),
            renew_time=measure_time,
            tap=tap,
        )

    def orders(self, writes: Writes, tap: Tap | None) -> OrderSocket | None:
        """None where orders leave by REST."""
        if self.config.order_entry != "socket" or self.config.trade_url is None:
            return None
        line = Line(
            url=self.config.trade_url,
            limits=self.limits,
            backoff=self.backoff,
            timeouts=self.timeouts,
            log_in=log_in(self.signer),
            tap=tap,
        )
        return OrderSocket(
            line,
            self.switchboard,
            self.clock,
            signer=self.signer,
            writes=writes,
        )
