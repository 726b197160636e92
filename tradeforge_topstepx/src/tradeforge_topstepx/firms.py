"""Where the firms that run on ProjectX have their gateways.

Only TopStepX is documented officially; the others are names that the community has seen in use
(gateway reference, section 1.2). Any address can be replaced by a setting.
"""

from attrs import frozen


@frozen
class Gateway:
    """The three addresses of one firm's gateway."""

    rest: str
    user_hub: str
    market_hub: str


def _gateway(api: str, hubs: str) -> Gateway:
    return Gateway(f"https://{api}", f"https://{hubs}/hubs/user", f"https://{hubs}/hubs/market")


def _named(host: str) -> Gateway:
    return _gateway(f"api.{host}.projectx.com", f"rtc.{host}.projectx.com")


def _regional(host: str) -> Gateway:
    """The older naming, which some firms are only known by."""
    return _gateway(f"gateway-api-{host}.s2f.projectx.com", f"gateway-rtc-{host}.s2f.projectx.com")


DEMO = _regional("demo")

FIRMS: dict[str, Gateway] = {
    "alphaticks": _named("alphaticks"),
    "aquafutures": _regional("aquafutures"),
    "blueguardian": _named("blueguardianfutures"),
    "blusky": _named("blusky"),
    "bulenox": _regional("bulenox"),
    "daytraders": _regional("daytraders"),
    "e8": _named("e8"),
    "fundingfutures": _named("fundingfutures"),
    "futuresdesk": _named("thefuturesdesk"),
    "futureselite": _named("futureselite"),
    "fxify": _named("fxifyfutures"),
    "goatfunded": _named("goatfundedfutures"),
    "holaprime": _regional("holaprime"),
    "nexgen": _regional("nexgen"),
    "tickticktrader": _named("tickticktrader"),
    "toponefutures": _named("toponefutures"),
    "topstepx": _gateway("api.topstepx.com", "rtc.topstepx.com"),
    "tx3funding": _named("tx3funding"),
}
"""By the word for `TS_FIRM`."""
