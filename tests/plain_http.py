"""A bare client for what is served on this machine."""

from typing import Any

import httpx


def plain_http(url: str = "", **options: Any) -> httpx.AsyncClient:
    """Without TLS: to load the certificates takes longer than most tests."""
    return httpx.AsyncClient(base_url=url, verify=False, trust_env=False, **options)
