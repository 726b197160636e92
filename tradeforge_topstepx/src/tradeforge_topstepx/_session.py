"""The token: fetched once for all who need it, renewed before it dies, never printed."""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from attrs import frozen

from tradeforge_core import Secret, TradeForgeError, VenueError
from tradeforge_core.kit.clock import Clock

_LIFE = timedelta(hours=24)
"""Of a token that does not say when it ends (reference: the gateway's tokens live 24 hours)."""
_RENEW_AT = 0.8
"""Of its life: late enough to be rare, early enough to survive an outage of the login."""


_LEAST_PAUSE = 30.0
"""Seconds between renewals, whatever the tokens say of themselves."""
_TRY_AGAIN = 60.0
"""Seconds between attempts to renew a token."""
_CONFLICT_WINDOW = 600.0
_CONFLICT_COUNT = 3
"""This often in this many seconds, somebody else takes the session."""


@frozen
class Token:
    """A token; `revision` counts the tokens of a session, so an old one never replaces a new."""

    text: Secret
    revision: int
    renew_at: datetime
    ends_at: datetime


class Session:
    """One login, shared by REST and by every connection of the hubs."""

    def __init__(
        self,
        *,
        log_in: Callable[[], Awaitable[str]],
        extend: Callable[[Secret], Awaitable[str]],
        clock: Clock,
    ) -> None:
        self._log_in = log_in
        self._extend = extend
        self._clock = clock
        self._token: Token | None = None
        self._revision = 0
        self._displaced: list[float] = []
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> Token:
        """A token that the venue should accept. Raises what the login raises."""
        token = self._token
        if token is not None and self._clock.now() < token.ends_at:
            return token
        return await self._renew(token)

    async def keep_fresh(self, report: Callable[[TradeForgeError], None]) -> NoReturn:
        """Renew the token in time, for ever, so that nobody ever has to wait for it.

        A renewal that fails is reported and tried again; the old token is good until it ends.
        """
        while True:
            token = self._token
            left = _TRY_AGAIN if token is None else self._seconds_to(token.renew_at)
            await self._clock.sleep(max(left, _LEAST_PAUSE))
            if token is None or token is not self._token:
                continue  # somebody needed one, and has it
            try:
                await self._renew(token)
            except TradeForgeError as error:
                report(error)
                await self._clock.sleep(_TRY_AGAIN)

    def was_displaced_again(self) -> bool:
        """Note that the venue ended the session; whether it did so too often to be an accident."""
        now = self._clock.monotonic()
        self._displaced = [at for at in self._displaced if now - at < _CONFLICT_WINDOW] + [now]
        return len(self._displaced) >= _CONFLICT_COUNT

    def _seconds_to(self, time: datetime) -> float:
        return (time - self._clock.now()).total_seconds()

    async def replace(self, refused: Token) -> Token:
        """A newer token than the one that the venue refused."""
        self.forget(refused)
        return await self._renew(None)

    def forget(self, refused: Token) -> None:
        """Do not use this token again, unless a newer one is there already."""
        if self._token is not None and self._token.revision <= refused.revision:
            self._token = None

    async def _renew(self, old: Token | None) -> Token:
        async with self._one_at_a_time:
            if self._token is not None and self._token is not old:
                return self._token  # another task was quicker
            text = await self._new_text(old)
            self._revision += 1
            self._token = _token(text, self._revision, self._clock.now())
            return self._token

    async def _new_text(self, old: Token | None) -> str:
        if old is None or self._clock.now() >= old.ends_at:
            return await self._log_in()
        try:
            return await self._extend(old.text)
        except VenueError:  # the venue does not extend it: a login is as good
            return await self._log_in()


def _token(text: str, revision: int, now: datetime) -> Token:
    life = _life(text, now)
    return Token(Secret(text), revision, now + life * _RENEW_AT, now + life)


def _life(token: str, now: datetime) -> timedelta:
    """How long the token lives from now: by its own clock where it tells both ends of its life.

    A life that is over on arrival means that the clocks disagree, not that the token is dead.
    """
    claims = _claims(token)
    ends_at = _moment(claims, "exp")
    issued_at = _moment(claims, "iat") or _moment(claims, "nbf") or now
    life = ends_at - issued_at if ends_at else _LIFE
    return life if timedelta(0) < life <= _LIFE * 366 else _LIFE


def _moment(claims: dict[str, Any], name: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(claims[name], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself; nothing for a token of another kind."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims if isinstance(claims, dict) else {}
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
