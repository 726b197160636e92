"""Commands of sandboxes that have tokens, reads that can be late, and faults."""

from tradeforge_testing.sandbox.control import Arguments, Command, Seconds


class LagReads(Arguments):
    seconds: Seconds


LAG_READS = Command(
    "lag_reads",
    "show orders, trades and positions as they were so many seconds ago; zero ends it",
    LagReads,
    lambda sandbox, it: sandbox.lag_reads(it.seconds),
)
EXPIRE_TOKENS = Command(
    "expire_tokens",
    "refuse every token issued so far",
    Arguments,
    lambda sandbox, it: sandbox.expire_tokens(),
)
FORGET_FAULTS = Command(
    "forget_faults",
    "do everything right from now on",
    Arguments,
    lambda sandbox, it: sandbox.forget_faults(),
)
