"""Bybit: each thing that the contract asks for, as one short method."""

from decimal import Decimal
from urllib.parse import urlsplit

from tradeforge_bybit._rest import Rest
from tradeforge_bybit._server_time import ServerTime
from tradeforge_bybit._signing import Signer
from tradeforge_bybit.config import BybitConfig
from tradeforge_core import (
    Account,
    Bar,
    Capabilities,
    Contract,
    FrontMonth,
    NotSupported,
    Order,
    OrderRequest,
    OrderSafety,
    Plugins,
    Position,
    Provider,
    Trade,
)
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpClient
from tradeforge_core.kit.record_to import RecordTo
from tradeforge_core.requests import BarQuery, OrderChange, Period
from tradeforge_core.streams.audit_times import AuditTimes
from tradeforge_core.streams.backoff import Backoff
from tradeforge_core.streams.link import StreamLink
from tradeforge_core.streams.supervisor import StreamTimeouts


class BybitProvider(Provider):
    """Bybit's v5 API with the key of a unified account."""

    name = "bybit"
    capabilities = Capabilities()
    stream_of = {}

    def __init__(
        self,
        config: BybitConfig,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        timeouts: StreamTimeouts | None = None,
        safety: OrderSafety | None = None,
        audit: AuditTimes | None = None,
        record_to: RecordTo | None = None,
    ) -> None:
        super().__init__(
            plugins=plugins,
            clock=clock,
            backoff=backoff,
            timeouts=timeouts,
            safety=safety,
            audit=audit,
            record_to=record_to,
        )
        self.config = config
        self._time = ServerTime(self._clock)
        self._signer = Signer.of(config, self._time)
        self._http = self._new_http()
        self._rest = Rest(self._http, self._signer, self._time)

    @property
    def realm(self) -> str:
        return urlsplit(self.config.rest_url).netloc

    def _new_http(self) -> HttpClient:
        return HttpClient(
            self.config.rest_url,
            provider=self.name,
            observe=self._plugins.saw_http_request,
            clock=self._clock,
            timeouts=self.config.timeouts,
            tap=self.recorder,
        )

    async def _log_in(self) -> None:
        self._http = self._new_http()
        self._rest = Rest(self._http, self._signer, self._time)
        await self._rest.measure_time()
        self._account_id = str((await self._rest.key()).userID)

    async def _log_out(self) -> None:
        await self._http.close()

    def _make_link(self, stream: str) -> StreamLink:
        raise NotSupported(f"{self.name} has no stream {stream}")

    # --- accounts, contracts, bars ---

    async def _fetch_accounts(self) -> list[Account]:
        raise NotSupported("")

    async def _search_contracts(self, text: str) -> list[Contract]:
        raise NotSupported("")

    async def _fetch_contract(self, contract_id: str) -> Contract:
        raise NotSupported("")

    async def _find_contract(self, symbol: str) -> FrontMonth:
        raise NotSupported("")

    async def _fetch_bars(self, query: BarQuery) -> list[Bar]:
        raise NotSupported("")

    # --- orders ---

    async def _submit_order(self, request: OrderRequest) -> Order:
        raise NotSupported("")

    async def _submit_change(self, change: OrderChange) -> None:
        raise NotSupported("")

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        raise NotSupported("")

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        raise NotSupported("")

    async def _fetch_order(self, account_id: str, order_id: str) -> Order:
        raise NotSupported("")

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[Order]:
        raise NotSupported("")

    async def _fetch_open_orders(self, account_id: str) -> list[Order]:
        raise NotSupported("")

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[Order]:
        raise NotSupported("")

    # --- positions and fills ---

    async def _fetch_positions(self, account_id: str) -> list[Position]:
        raise NotSupported("")

    async def _fetch_trades(self, account_id: str, period: Period) -> list[Trade]:
        raise NotSupported("")
