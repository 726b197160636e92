"""The first contact: log in and print the accounts as JSON.

Settings come from the environment or from .env; `tradeforge sandbox topstepx` prints some that
work without an account.
"""

import asyncio
import sys

from tradeforge_core import TradeForgeError, load_provider, to_json


async def main() -> None:
    async with load_provider("topstepx") as broker:
        print(to_json(await broker.get_accounts(), indent=2))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except TradeForgeError as error:
        sys.exit(f"{type(error).__name__}: {error}")
