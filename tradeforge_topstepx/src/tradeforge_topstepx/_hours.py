"""Which hours the products of the gateway have: all of them trade at CME Group."""

from tradeforge_core import Contract, MarketHours, cme_globex

_ROOTS = {
    "equity-index": "ES MES NQ MNQ YM MYM RTY M2K NKD",
    "rates": "ZT ZF ZN TN ZB UB",
    "fx": "6A 6B 6C 6E 6J 6M 6N 6S E7 M6A M6B M6E",
    "metals": "GC MGC SI SIL HG MHG PL",
    "energies": "CL MCL QM NG MNG QG RB HO",
    "grains": "ZC ZW ZS ZM ZL",
    "livestock": "LE HE",
    "crypto": "MBT MET",
}
GROUPS = {root: group for group, roots in _ROOTS.items() for root in roots.split()}


def hours_of(contract: Contract) -> MarketHours | None:
    """None for a product that is not known here."""
    group = GROUPS.get(contract.root)
    return None if group is None else cme_globex(group)
