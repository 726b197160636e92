"""The account: its wallet, its mode, its fees, and what the key may do."""

from typing import Any

from tradeforge_bybit.sandbox import said as say
from tradeforge_bybit.sandbox.account_rows import wallet_row
from tradeforge_bybit.sandbox.answers import Failure, Payload, parameter_error
from tradeforge_bybit.sandbox.endpoint import Endpoint
from tradeforge_bybit.sandbox.literals import text
from tradeforge_bybit.sandbox.said import Said
from tradeforge_bybit.sandbox.venue import Venue


def wallet_balance(venue: Venue, said: Said) -> Payload:
    if say.word(said, "accountType") != "UNIFIED":
        raise parameter_error("accountType only support UNIFIED.")
    coins = say.maybe_word(said, "coin")
    wanted = frozenset(one for one in coins.split(",") if one)
    return {"list": [wallet_row(venue, wanted)]}


def account_info(venue: Venue, said: Said) -> Payload:
    return {
        "marginMode": _MARGIN_MODE,
        "updatedTime": "1723481446000",
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


_MARGIN_MODE = "REGULAR_MARGIN"
_MARGIN_MODES = ("ISOLATED_MARGIN", _MARGIN_MODE, "PORTFOLIO_MARGIN")


def set_margin_mode(venue: Venue, said: Said) -> Payload:
    """There is only one; asking for another is refused, as it is where something is in its way."""
    wanted = say.word(said, "setMarginMode")
    if wanted not in _MARGIN_MODES:
        raise parameter_error("setMarginMode invalid")
    if wanted != _MARGIN_MODE:
        raise Failure(3400045, "Set margin mode failed")
    return {"reasons": []}


def collateral_info(venue: Venue, said: Said) -> Payload:
    """Every coin counts as collateral, and none can be borrowed."""
    wanted = say.maybe_word(said, "currency")
    return {"list": [{"currency": one, **_COLLATERAL} for one in _COINS if wanted in ("", one)]}


_COLLATERAL: dict[str, Any] = {
    "hourlyBorrowRate": "0",
    "maxBorrowingAmount": "0",
    "freeBorrowingLimit": "0",
    "freeBorrowAmount": "0",
    "freeBorrowingAmount": "",
    "borrowAmount": "0",
    "otherBorrowAmount": "0",
    "availableToBorrow": "0",
    "borrowable": False,
    "borrowUsageRate": "0",
    "marginCollateral": True,
    "collateralSwitch": True,
    "collateralRatio": "1",
}


def fee_rate(venue: Venue, said: Said) -> Payload:
    category, symbol = say.category(said), say.maybe_word(said, "symbol")
    listed = [
        one
        for one in venue.listings.values()
        if one.category == category and symbol in ("", one.symbol)
    ]
    if symbol and not listed:
        raise parameter_error("symbol invalid")
    return {
        "list": [
            {
                "symbol": one.symbol,
                "takerFeeRate": text(one.instrument.taker_rate),
                "makerFeeRate": text(one.instrument.maker_rate),
            }
            for one in listed
        ]
    }


def query_api(venue: Venue, said: Said) -> Payload:
    """What the key may do, and whose it is: the number of the user is that of the account."""
    return {
        "id": "2208369",
        "note": "sandbox",
        "apiKey": venue.credentials.api_key,
        "readOnly": 0 if venue.account.can_trade else 1,
        "secret": "",
        "permissions": _PERMISSIONS,
        "ips": ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2099-01-01T00:00:00Z",
        "createdAt": "2025-10-13T03:20:45Z",
        "unified": 0,
        "uta": 1,
        "userID": venue.account.id,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
        "userIDInt64": str(venue.account.id),
        "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
    }


_PERMISSIONS: dict[str, list[str]] = {
    "ContractTrade": ["Order", "Position"],
    "Spot": ["SpotTrade"],
    "Wallet": [],
    "Options": [],
    "Derivatives": ["DerivativesTrade"],
    "CopyTrading": [],
    "BlockTrade": [],
    "Exchange": [],
    "NFT": [],
    "Affiliate": [],
    "Earn": [],
    "FiatP2P": [],
    "FiatConvertBroker": [],
    "FiatGlobalPay": [],
    "FiatBitPay": [],
    "BitCard": [],
    "ByXPost": [],
}


def coin_info(venue: Venue, said: Said) -> Payload:
    wanted = say.maybe_word(said, "coin")
    return {"rows": [_coin(one) for one in _COINS if wanted in ("", one)]}


_COINS = ("BTC", "ETH", "USDT")


def _coin(coin: str) -> dict[str, Any]:
    chain = {
        "chainType": coin,
        "confirmation": "6",
        "safeConfirmNumber": "6",
        "withdrawFee": "0.0005",
        "depositMin": "0",
        "withdrawMin": "0.001",
        "withdrawMax": "-1",
        "chain": coin,
        "chainDeposit": "1",
        "chainWithdraw": "1",
        "minAccuracy": "8",
        "withdrawPercentageFee": "0",
        "contractAddress": "",
    }
    return {"name": coin, "coin": coin, "remainAmount": "1000", "chains": [chain]}


ENDPOINTS = (
    Endpoint("GET", "/v5/account/wallet-balance", wallet_balance, 50),
    Endpoint("GET", "/v5/account/info", account_info, 50),
    Endpoint("POST", "/v5/account/set-margin-mode", set_margin_mode, 10),
    Endpoint("GET", "/v5/account/collateral-info", collateral_info, 50),
    Endpoint("GET", "/v5/account/fee-rate", fee_rate, 5),
    Endpoint("GET", "/v5/user/query-api", query_api, 10),
    Endpoint("GET", "/v5/asset/coin/query-info", coin_info, 5),
)
