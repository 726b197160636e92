"""Where Bybit is: one set of hosts for each environment, and one for each of its regional sites."""

from attrs import frozen


@frozen(kw_only=True)
class Hosts:
    """The base URLs; `public` is followed by the category. `trade` is None where there is none."""

    rest: str
    public: str
    private: str
    trade: str | None

    @classmethod
    def of(cls, rest: str, stream: str) -> "Hosts":
        return cls(
            rest=f"https://{rest}",
            public=f"wss://{stream}/v5/public",
            private=f"wss://{stream}/v5/private",
            trade=f"wss://{stream}/v5/trade",
        )


_STREAM = "stream.bybit.com"
SITES = {
    "global": Hosts.of("api.bybit.com", _STREAM),
    "bytick": Hosts.of("api.bytick.com", _STREAM),
    "nl": Hosts.of("api.bybit.nl", _STREAM),
    "ae": Hosts.of("api.bybit.ae", _STREAM),
    "eu": Hosts.of("api.bybit.eu", _STREAM),
    "tr": Hosts.of("api.bybit.tr", "stream.bybit.tr"),
    "kz": Hosts.of("api.bybit.kz", "stream.bybit.kz"),
    "id": Hosts.of("api.bybit.id", "stream.bybit.id"),
    "ge": Hosts.of("api.bybitgeorgia.ge", "stream.bybitgeorgia.ge"),
    "jp": Hosts.of("api.manepa.jp", "stream.manepa.jp"),
}
"""Of the mainnet, by what `BYBIT_SITE` says: a key works at the site where it was made, only."""
TESTNET = Hosts.of("api-testnet.bybit.com", "stream-testnet.bybit.com")
DEMO = Hosts(
    rest="https://api-demo.bybit.com",
    public=SITES["global"].public,  # the demo trades at the prices of the mainnet
    private="wss://stream-demo.bybit.com/v5/private",
    trade=None,
)
