"""A venue's REST interface that speaks JSON: a login, a bearer token, a budget, and errors.

Reads are asked again once with a new token; a write leaves once, whatever becomes of it. Only the
venue's documented refusals, an HTTP status of its choice with a word in the body, are proof of one.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from attrs import frozen

from tradeforge_core.converter import to_json
from tradeforge_core.errors import (
    AuthenticationError,
    DecodeError,
    Disconnected,
    NotFound,
    NotSent,
    RateLimited,
    TradeForgeError,
    VenueError,
)
from tradeforge_core.kit.budget import Lane, RateBudget, lane_of_reads
from tradeforge_core.kit.clock import Clock
from tradeforge_core.kit.http import HttpAnswer, HttpClient, HttpTimeouts, bearer
from tradeforge_core.kit.json_words import object_of, understanding
from tradeforge_core.kit.retry_after import seconds_of
from tradeforge_core.plugins import HttpRequestDetails
from tradeforge_core.secret import Secret

T = TypeVar("T")
Make = Callable[[dict[str, Any]], T]
"""From the object of an answer to what it means."""


@frozen(kw_only=True)
class Refusals:
    """How the venue says no: the status, and what the word in `error` means; others are `rest`."""

    status: int
    words: Mapping[str, type[VenueError]]
    rest: type[VenueError]

    def error(self, path: str, word: str) -> VenueError:
        kind = self.words.get(word, self.rest)
        return kind(f"{path}: {word.replace('_', ' ')}", code=word, name=word)


class JsonRest:
    """Every request is a POST of an object to a path. `log_in_with` makes the object of a login.

    Between `open` and `close` it is of use; it can be opened again. `limit` is how often the venue
    may be asked in a minute, a tenth of that only by what is urgent. The list of an answer is its
    member `list_in`.
    """

    def __init__(
        self,
        url: str,
        *,
        provider: str,
        login: str,
        log_in_with: Callable[[], Mapping[str, str]],
        refusals: Refusals,
        limit: int,
        list_in: str = "rows",
        timeouts: HttpTimeouts | None = None,
        observe: Callable[[HttpRequestDetails], None],
        clock: Clock,
    ) -> None:
        self._new_http = partial(
            HttpClient,
            url,
            provider=provider,
            observe=observe,
            clock=clock,
            timeouts=timeouts or HttpTimeouts(),
        )
        self._provider = provider
        self._login = login
        self._log_in_with = log_in_with
        self._list_in = list_in
        self._http: HttpClient | None = None
        self._token: Secret | None = None
        self._one_at_a_time = asyncio.Lock()
        self.budget = RateBudget(limit, 60, clock=clock, reserve=limit // 10)
        self.refusals = refusals

    async def open(self) -> None:
        """Log in. Raises `AuthenticationError`, `TransportError`, `VenueError`, `DecodeError`."""
        self._http = self._new_http()
        self._token = None
        self._one_at_a_time = asyncio.Lock()  # it may be another event loop than the last time
        await self.token()

    async def close(self) -> None:
        """Close every connection; a request that is still waiting is ended."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def token(self, *, refused: Secret | None = None) -> Secret:
        """A token that the venue should accept, and that is not the one it `refused`.

        Raises what the login raises: `AuthenticationError`, `TransportError`, `VenueError`.
        """
        async with self._one_at_a_time:
            if self._token is refused:
                self._token = None
            if self._token is None:
                self._token = await self._log_in()
            return self._token

    async def read(self, path: str, body: Mapping[str, object], make: Make[T]) -> T:
        """What `make` makes of the answer. Raises `TransportError`, `VenueError`, `DecodeError`."""
        token = await self.token()
        try:
            return await self._post(path, body, make, token, lane_of_reads())
        except AuthenticationError:
            token = await self.token(refused=token)
            return await self._post(path, body, make, token, lane_of_reads())

    async def rows(self, path: str, body: Mapping[str, object], make: Make[T]) -> list[T]:
        """The same of each object in the list of the answer."""
        member = self._list_in
        return await self.read(path, body, lambda found: [make(row) for row in found[member]])

    async def first(
        self, path: str, body: Mapping[str, object], make: Make[T], *, missing: str
    ) -> T:
        """The first of them. Raises `NotFound`, which says what is `missing`, if there is none."""
        for one in await self.rows(path, body, make):
            return one
        raise NotFound(f"there is no {missing}")

    async def write(
        self, path: str, body: Mapping[str, object], make: Make[T], *, urgent: bool = False
    ) -> T:
        """The same for what changes something; it leaves once. Raises `NotSent`, too."""
        try:
            token = await self.token()
        except TradeForgeError as error:
            raise NotSent(f"{path}: there is no session ({error})") from error
        lane = Lane.URGENT if urgent or lane_of_reads() is Lane.URGENT else Lane.WRITE
        try:
            return await self._post(path, body, make, token, lane)
        except AuthenticationError:
            self._forget(token)
            raise

    def _forget(self, refused: Secret) -> None:
        if self._token is refused:
            self._token = None

    async def _log_in(self) -> Secret:
        # the body is in no local variable: what collects those of a traceback must not find it
        answer = await self._client().request(
            "POST",
            self._login,
            content=to_json(dict(self._log_in_with())).encode(),
            budget=self.budget,
            lane=Lane.URGENT,
        )
        return Secret(self._read(self._login, answer, _token_of))

    async def _post(
        self, path: str, body: Mapping[str, object], make: Make[T], token: Secret, lane: Lane
    ) -> T:
        answer = await self._client().request(
            "POST",
            path,
            content=to_json(dict(body)).encode(),
            auth=bearer(token),
            budget=self.budget,
            lane=lane,
        )
        return self._read(path, answer, make)

    def _client(self) -> HttpClient:
        if self._http is None:
            raise Disconnected(f"{self._provider} is not connected", sent=False)
        return self._http

    def _read(self, path: str, answer: HttpAnswer, make: Make[T]) -> T:
        if answer.status != 200:
            raise self._error(path, answer)
        with understanding(f"the answer to {path}"):
            return make(object_of(answer.body))

    def _error(self, path: str, answer: HttpAnswer) -> VenueError:
        status = answer.status
        if status == self.refusals.status:
            return self._refusal(path, answer)
        if status == 401:
            return AuthenticationError(f"{path}: the login or the token is not accepted", code=401)
        if status == 429:
            seconds = seconds_of(answer.retry_after)
            self.budget.cool_down(seconds)
            return RateLimited(f"{path}: too many requests", code=429, retry_after=seconds)
        return VenueError(f"{path}: HTTP {status}", code=status)

    def _refusal(self, path: str, answer: HttpAnswer) -> VenueError:
        try:
            with understanding(path):
                word = object_of(answer.body)["error"]
        except DecodeError:
            word = None
        if not isinstance(word, str):  # a proxy can send this status, too: it proves nothing
            return VenueError(f"{path}: HTTP {answer.status}", code=answer.status)
        return self.refusals.error(path, word)


def _token_of(answer: dict[str, Any]) -> str:
    token = answer["token"]
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise ValueError("the token is no text for a header")
    return token
