"""Auth: log in with a key or as an application, renew the token, log out."""

from tradeforge_topstepx.sandbox.bodies import LoginApp, LoginKey
from tradeforge_topstepx.sandbox.endpoint import Endpoint, Failure, Payload
from tradeforge_topstepx.sandbox.venue import Venue

USER_NOT_FOUND, WRONG_PASSWORD, INVALID_CREDENTIALS = 1, 2, 3


def login_key(venue: Venue, body: LoginKey) -> Payload:
    if not _is_user(venue, body.userName) or body.apiKey != venue.credentials.api_key:
        raise Failure(INVALID_CREDENTIALS)
    return {"token": venue.tokens.issue(venue.credentials.username)}


def login_app(venue: Venue, body: LoginApp) -> Payload:
    """The key counts as the password; any application and device will do."""
    if not _is_user(venue, body.userName):
        raise Failure(USER_NOT_FOUND)
    if body.password != venue.credentials.api_key:
        raise Failure(WRONG_PASSWORD)
    return {"token": venue.tokens.issue(venue.credentials.username)}


def validate(venue: Venue, token: str) -> Payload:
    """A new token; the old one goes on to count until it expires."""
    return {"newToken": venue.tokens.issue(venue.tokens.username(token))}


def logout(venue: Venue, token: str) -> Payload:
    venue.tokens.revoke(token)
    return {}


def _is_user(venue: Venue, name: str) -> bool:
    return name.casefold() == venue.credentials.username.casefold()


ENDPOINTS = (
    Endpoint("/api/Auth/loginKey", LoginKey, login_key, ("token",), needs_token=False),
    Endpoint("/api/Auth/loginApp", LoginApp, login_app, ("token",), needs_token=False),
    Endpoint("/api/Auth/validate", None, validate, ("newToken",)),
    Endpoint("/api/Auth/logout", None, logout),
)
