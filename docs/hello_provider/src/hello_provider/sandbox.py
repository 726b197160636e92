"""The venue on this machine: its words over the simulated exchange of the toolkit."""

from collections.abc import Mapping

from hello_provider import wire
from tradeforge_testing.chaos.faults import Action
from tradeforge_testing.sandbox import Handler, JsonChaos, JsonSandbox


class HelloSandbox(JsonSandbox):
    prefix = "HELLO"
    login = wire.LOGIN
    stream = wire.STREAM
    requests_a_minute = wire.REQUESTS_A_MINUTE
    most_bars = wire.MOST_BARS
    paths = {
        Action.PLACE: (wire.PLACE,),
        Action.CANCEL: (wire.CANCEL,),
        Action.CLOSE: (wire.CLOSE,),
        Action.FLATTEN: (wire.CLOSE,),
        Action.READ: (wire.ORDERS, wire.POSITIONS),
    }

    def handlers(self) -> Mapping[str, Handler]:
        return {
            wire.ACCOUNTS: self.desk.accounts,
            wire.CONTRACTS: self.desk.contracts,
            wire.BARS: self.desk.bars,
            wire.PLACE: self.desk.place,
            wire.MODIFY: self.desk.modify,
            wire.CANCEL: self.desk.cancel,
            wire.ORDERS: self.desk.orders,
            wire.POSITIONS: self.desk.positions,
            wire.CLOSE: self.desk.close,
            wire.FILLS: self.desk.fills,
        }


create = HelloSandbox  # how the command line starts it


def chaos_venue(seed: int) -> JsonChaos:
    """What the conformance kit and `tradeforge chaos` are run against."""
    from hello_provider.provider import HelloProvider

    return JsonChaos(HelloSandbox, HelloProvider, seed)
