"""The provider: what it can do, and how each call is made."""

from decimal import Decimal
from functools import partial
from typing import Any

import tradeforge_core as tf
from hello_provider import mapping, wire
from hello_provider.config import HelloConfig
from tradeforge_core.kit.bar_pages import fetch_bar_pages
from tradeforge_core.kit.budget import RateBudget
from tradeforge_core.kit.http import HttpTimeouts
from tradeforge_core.kit.json_rest import JsonRest
from tradeforge_core.kit.json_stream import JsonStream
from tradeforge_core.requests import BarQuery, OrderChange, Period


class HelloProvider(tf.Provider):
    """Hello: market and limit orders, minute bars, quotes and everything of your accounts."""

    name = "hello"
    capabilities = tf.Capabilities(
        venue_class=tf.VenueClass.A,  # a tag is unique, and orders are found by it in any status
        order_types=frozenset({tf.OrderType.MARKET, tf.OrderType.LIMIT}),
        market_data=frozenset({tf.MarketDataType.QUOTE}),
        user_data=frozenset(tf.UserDataType),
        bar_units=frozenset({tf.BarUnit.MINUTE}),
    )
    stream_of = dict.fromkeys([tf.MarketDataType.QUOTE, *tf.UserDataType], "stream")

    def __init__(
        self, settings: tf.Settings, *, timeouts: HttpTimeouts | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.config = HelloConfig.from_settings(settings)
        self._rest = JsonRest(
            self.config.url,
            provider=self.name,
            login=wire.LOGIN,
            log_in_with=lambda: {"key": self.config.key.reveal()},
            refusals=wire.REFUSALS,
            limit=wire.REQUESTS_A_MINUTE,
            timeouts=timeouts,
            observe=self._plugins.saw_http_request,
            clock=self._clock,
        )

    @property
    def realm(self) -> str:
        return self.config.url

    def _budgets(self) -> dict[str, RateBudget]:
        return {"rest": self._rest.budget}

    async def _log_in(self) -> None:
        await self._rest.open()

    async def _log_out(self) -> None:
        await self._rest.close()

    def _make_link(self, stream: str) -> JsonStream:
        url, switchboard = self.config.url + wire.STREAM, self._switchboard
        return JsonStream(stream, url, self._rest, switchboard, self._clock, read=mapping.to_event)

    async def _fetch_accounts(self) -> list[tf.Account]:
        return await self._rest.rows(wire.ACCOUNTS, {}, mapping.to_account)

    async def _search_contracts(self, text: str) -> list[tf.Contract]:
        return await self._rest.rows(wire.CONTRACTS, {"text": text}, mapping.to_contract)

    async def _fetch_contract(self, contract_id: str) -> tf.Contract:
        asked, missing = {"id": contract_id}, f"contract {contract_id!r}"
        return await self._rest.first(wire.CONTRACTS, asked, mapping.to_contract, missing=missing)

    async def _find_contract(self, symbol: str) -> tf.FrontMonth:
        wanted = symbol.strip().upper()
        for one in await self._search_contracts(wanted):
            if one.active and wanted in (one.symbol, one.root):
                return tf.FrontMonth(contract=one, reason="the first that the venue lists")
        raise tf.NotFound(f"there is no active contract {symbol!r}")

    async def _fetch_bars(self, query: BarQuery) -> list[tf.Bar]:
        make = partial(mapping.to_bar, contract_id=query.contract_id)
        wanted = {"contract": query.contract_id, "seconds": 60 * query.size}

        async def page(period: Period, limit: int) -> list[tf.Bar]:
            more = {"limit": limit, "partial": query.include_partial, **_in(period)}
            return await self._rest.rows(wire.BARS, {**wanted, **more}, make)

        return await fetch_bar_pages(query, page, most=wire.MOST_BARS, clock=self._clock)

    async def _submit_order(self, request: tf.OrderRequest) -> tf.Order:
        ticket = {
            "account": request.account_id,
            "contract": request.contract_id,
            "side": request.side,
            "type": request.type,
            "size": request.size,
            "limit_price": request.limit_price,
            "tag": request.client_order_id,
        }
        return await self._rest.write(wire.PLACE, ticket, mapping.to_order)

    async def _submit_change(self, change: OrderChange) -> None:
        body = {**_order(change.account_id, change.order_id), "size": change.size}
        await self._rest.write(
            wire.MODIFY, {**body, "limit_price": change.limit_price}, mapping.to_order
        )

    async def _submit_cancel(self, account_id: str, order_id: str) -> None:
        await self._rest.write(
            wire.CANCEL, _order(account_id, order_id), mapping.to_order, urgent=True
        )

    async def _submit_close(self, account_id: str, contract_id: str, size: Decimal | None) -> None:
        body = {"account": account_id, "contract": contract_id, "size": size}
        await self._rest.write(wire.CLOSE, body, mapping.to_order, urgent=True)

    async def _look_up(self, account_id: str, **wanted: object) -> list[tf.Order]:
        asked = {"account": account_id, **wanted}
        return await self._rest.rows(wire.ORDERS, asked, mapping.to_order)

    async def _fetch_order(self, account_id: str, order_id: str) -> tf.Order:
        asked, missing = _order(account_id, order_id), f"order {order_id} in {account_id}"
        return await self._rest.first(wire.ORDERS, asked, mapping.to_order, missing=missing)

    async def _find_by_client_id(self, account_id: str, client_order_id: str) -> list[tf.Order]:
        return await self._look_up(account_id, tag=client_order_id)

    async def _fetch_open_orders(self, account_id: str) -> list[tf.Order]:
        return await self._look_up(account_id, open=True)

    async def _fetch_order_history(self, account_id: str, period: Period) -> list[tf.Order]:
        return await self._look_up(account_id, **_in(period))

    async def _fetch_positions(self, account_id: str) -> list[tf.Position]:
        return await self._rest.rows(wire.POSITIONS, {"account": account_id}, mapping.to_position)

    async def _fetch_trades(self, account_id: str, period: Period) -> list[tf.Trade]:
        asked = {"account": account_id, **_in(period)}
        return await self._rest.rows(wire.FILLS, asked, mapping.to_trade)


def _order(account_id: str, order_id: str) -> dict[str, object]:
    return {"account": account_id, "id": order_id}


def _in(period: Period) -> dict[str, object]:
    return {"start": period.start, "end": period.end}
