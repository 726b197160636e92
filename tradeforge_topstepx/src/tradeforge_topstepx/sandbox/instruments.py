"""The contracts that are listed: of every product the month that trades when the sandbox starts."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from attrs import evolve, field, frozen

from tradeforge_testing.exchange import Instrument

_MONTH_CODES = "FGHJKMNQUVXZ"


@frozen
class Calendar:
    """Which months a product has, and until when each of them is the one to trade."""

    months: str
    roll_month: int
    """Relative to the month of the contract."""
    roll_day: int

    def front_month(self, today: date) -> date:
        """The first day of the month that is traded `today`."""
        return next(month for month in self._from(today) if today <= self._last_day(month))

    def month_before(self, month: date) -> date:
        """The month that was listed before."""
        earlier = (_shifted(month, -months) for months in range(1, 13))
        return next(one for one in earlier if self._has(one))

    def month_after(self, month: date) -> date:
        """The month that is listed next."""
        return next(one for one in self._from(month) if one > month)

    def _from(self, today: date) -> Iterator[date]:
        later = (_shifted(today.replace(day=1), months) for months in range(24))
        return (month for month in later if self._has(month))

    def _has(self, month: date) -> bool:
        return _MONTH_CODES[month.month - 1] in self.months

    def _last_day(self, month: date) -> date:
        return _shifted(month, self.roll_month).replace(day=self.roll_day)


INDEX = Calendar("HMUZ", 0, 10)
OIL = Calendar(_MONTH_CODES, -1, 17)
GOLD = Calendar("GJMQZ", -1, 25)


@frozen
class Product:
    """A row of the table below; fee and commission are per contract and fill."""

    root: str
    symbol: str
    name: str
    calendar: Calendar
    tick_size: Decimal = field(converter=Decimal)
    tick_value: Decimal = field(converter=Decimal)
    fee: Decimal = field(converter=Decimal)
    commission: Decimal = field(converter=Decimal)
    start_price: Decimal = field(converter=Decimal)
    expired_month: bool = False
    """Whether the month before can still be looked up, as a contract that is over."""

    def listed(self, today: date) -> list[Instrument]:
        front = self.calendar.front_month(today)
        expired = [self.calendar.month_before(front)] if self.expired_month else []
        return [
            *(self.contract(month, active=False) for month in expired),
            self.contract(front, active=True),
        ]

    def contract(self, month: date, *, active: bool) -> Instrument:
        code = _MONTH_CODES[month.month - 1]
        return Instrument(
            id=f"CON.F.US.{self.root}.{code}{month:%y}",
            symbol=f"{self.symbol}{code}{month.year % 10}",
            root=self.symbol,
            description=f"{self.name}: {month:%B %Y}",
            tick_size=self.tick_size,
            tick_value=self.tick_value,
            start_price=self.start_price,
            fee=self.fee,
            commission=self.commission,
            active=active,
        )


PRODUCTS = (
    Product("CLE", "CL", "Crude Light (Globex)", OIL, "0.01", "10", "1.02", "0.50", "70.50"),
    Product("ENQ", "NQ", "E-mini NASDAQ-100", INDEX, "0.25", "5", "1.40", "0.50", "29540"),
    Product("EP", "ES", "E-Mini S&P 500", INDEX, "0.25", "12.5", "1.40", "0.50", "7730", True),
    Product("GCE", "GC", "Gold (Globex)", GOLD, "0.1", "10", "1.12", "0.50", "4150"),
    Product("MCLE", "MCL", "Micro WTI Crude Oil", OIL, "0.01", "1", "0.51", "0.25", "70.50"),
    Product("MES", "MES", "Micro E-mini S&P 500", INDEX, "0.25", "1.25", "0.36", "0.25", "7730"),
    Product(
        "MNQ", "MNQ", "Micro E-mini Nasdaq-100", INDEX, "0.25", "0.5", "0.36", "0.25", "29540", True
    ),
)


def listed_instruments(today: date) -> list[Instrument]:
    """Every contract of every product, the expired ones too, ascending by id."""
    instruments = [one for product in PRODUCTS for one in product.listed(today)]
    return sorted(instruments, key=lambda one: one.id)


def next_contract(instrument: Instrument, start_price: Decimal) -> Instrument:
    """The contract that follows this one, at a price that its market can start from."""
    product = next((one for one in PRODUCTS if one.symbol == instrument.root), None)
    if product is None:
        raise ValueError(f"{instrument.id}: nothing is known of what follows it")
    code, year = instrument.id[-3], int(instrument.id[-2:])
    month = product.calendar.month_after(date(2000 + year, _MONTH_CODES.index(code) + 1, 1))
    return evolve(product.contract(month, active=True), start_price=start_price)


def _shifted(month: date, months: int) -> date:
    years, month0 = divmod(month.month - 1 + months, 12)
    return date(month.year + years, month0 + 1, 1)
