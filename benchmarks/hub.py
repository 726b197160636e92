"""A hub on loopback that sends as it is told by the address; run by the benchmarks.

It speaks just enough of the SignalR JSON protocol for real clients: negotiation, upgrade,
handshake, completions. It waits for all subscriptions, and then sends one message per frame.
"""

import argparse
import base64
import hashlib
import json
import socket
import struct
import threading
import time
from urllib.parse import parse_qs, urlsplit

from benchmarks.messages import END, START, UNSTAMPED, contracts, record, stamp

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NEGOTIATED = json.dumps(
    {
        "connectionId": "c",
        "connectionToken": "c",
        "negotiateVersion": 1,
        "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text"]}],
    }
).encode()
_CYCLES = 40
"""Bursts that are made beforehand, and sent again and again."""


def frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    return bytes([0x81, 126]) + struct.pack("!H", size) + payload


class Client:
    """One connection of a client, in a thread of its own."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._file = line.makefile("rb")

    def serve(self) -> None:
        try:
            self._serve()
        except (OSError, EOFError):
            pass  # the client has what it wanted
        finally:
            self._line.close()

    def _serve(self) -> None:
        request, headers = self._head()
        if request.startswith("POST"):
            self._line.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(_NEGOTIATED), _NEGOTIATED)
            )
            return
        accept = hashlib.sha1(headers["sec-websocket-key"].encode() + _GUID).digest()
        self._line.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % base64.b64encode(accept)
        )
        self._receive()  # the handshake
        self._line.sendall(frame(b"{}\x1e"))
        wish = {name: one[0] for name, one in parse_qs(urlsplit(request.split()[1]).query).items()}
        burst = int(wish["burst"])
        for _ in range(burst + 2):
            self._confirm()
        time.sleep(0.2)  # until the client waits for events
        send = self._paced if "rate" in wish else self._stream
        pace = float(wish.get("rate") or wish["pause"])
        send(wish["kind"], int(wish["warmup"]), burst, pace)
        self._line.sendall(frame(record(wish["kind"], START, 0)))
        send(wish["kind"], int(wish["count"]), burst, pace)
        self._line.sendall(frame(record(wish["kind"], END, 0)))
        while True:
            self._confirm()

    def _head(self) -> tuple[str, dict[str, str]]:
        request = self._file.readline().decode()
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return request, headers

    def _receive(self) -> bytes:
        head = self._file.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            raise EOFError
        size = head[1] & 127
        if size == 126:
            (size,) = struct.unpack("!H", self._file.read(2))
        mask = self._file.read(4)
        return bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._file.read(size)))

    def _confirm(self) -> None:
        message = {"type": 0}
        while message["type"] != 1:  # a ping asks for nothing
            message = json.loads(self._receive().removesuffix(b"\x1e"))
        done = {"type": 3, "invocationId": message.get("invocationId"), "result": None}
        self._line.sendall(frame(json.dumps(done).encode() + b"\x1e"))

    def _stream(self, kind: str, count: int, burst: int, pause: float) -> None:
        bursts = [
            b"".join(frame(record(kind, one, cycle)) for one in contracts(burst))
            for cycle in range(_CYCLES)
        ]
        for number in range(count // burst):
            self._line.sendall(bursts[number % _CYCLES])
            time.sleep(pause)

    def _paced(self, kind: str, count: int, burst: int, rate: float) -> None:
        """So many messages a second, one at a time, each with the time at which it is sent."""
        names, began = contracts(burst), time.monotonic()
        for number in range(count):
            before, after = record(kind, names[number % burst], 0).split(UNSTAMPED)
            wait_until(began + number / rate)
            self._line.sendall(frame(before + stamp(time.time_ns()) + after))


_TOO_SHORT = 0.0003
"""Seconds: a sleep of less takes longer than it should."""


def wait_until(due: float) -> None:
    while (left := due - time.monotonic()) > 0:
        if left > _TOO_SHORT:
            time.sleep(left - _TOO_SHORT)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            line, _ = server.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Client(line).serve, daemon=True).start()


if __name__ == "__main__":
    main()
