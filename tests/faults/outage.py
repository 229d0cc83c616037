"""What the scenarios of faults share: wires that can be cut, and looks at the worker's process."""

import re
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.stories.company import Company, Place

PIECE = 65536


class Wire:
    """Between the worker and something that it needs; what is at the far end is never touched."""

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self.swallows = b""  # the next answer that holds this is lost, and the connection with it
        self.lost = 0
        self.port = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.mend()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listener.getsockname()[1])
        self._start(self._accept, self._listener)

    def cut(self) -> None:
        """Whatever is connected breaks off, whoever comes is refused."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _start(self, work: Callable[[socket.socket], None], end: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(end,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # It was closed.
            while True:
                near, _ = listener.accept()
                self._start(self._pass_on, near)

    def _pass_on(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._far) as far:
            self._open |= {near, far}
            with suppress(OSError):
                while self._pass_piece(near, far):
                    pass
            self._open -= {near, far}

    def _pass_piece(self, near: socket.socket, far: socket.socket) -> bool:
        """False when the connection is over."""
        readable, _, _ = select.select([near, far], [], [])
        for source in readable:
            piece = source.recv(PIECE)
            if source is far and self.swallows and self.swallows in piece:
                self.swallows, self.lost = b"", self.lost + 1
                return False
            if not piece:
                return False
            (near if source is far else far).sendall(piece)
        return True


@contextmanager
def wire_to(url: str) -> Iterator[tuple[Wire, str]]:
    """A wire to this server, and the address of its near end."""
    parts = urlsplit(url)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 80)
    try:
        yield wire, f"{parts.scheme}://127.0.0.1:{wire.port}"
    finally:
        with suppress(OSError):  # It may be cut already.
            wire.cut()


class Impostor:
    """A server that names itself by a certificate which nobody has vouched for; notes what it is told."""

    def __init__(self, folder: Path) -> None:
        certificate, key = folder / "impostor.pem", folder / "impostor.key"
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext {names}"
        files = ["-out", str(certificate), "-keyout", str(key)]
        subprocess.run([*command.split(), *files], check=True, capture_output=True)  # noqa: S603
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.visits = 0
        self.told: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            visitor.settimeout(5)
            with visitor, suppress(OSError), self._context.wrap_socket(visitor, server_side=True) as secure:
                self.told.append(secure.recv(PIECE))


@contextmanager
def impostor(folder: Path) -> Iterator[Impostor]:
    server = Impostor(folder)
    try:
        yield server
    finally:
        server.close()


def memory(shop: Company, figure: str = "VmRSS") -> float:
    """Megabytes of the worker's process; `VmHWM`: the most that it ever had."""
    assert shop.worker is not None
    status = Path(f"/proc/{shop.worker.pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{figure}:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


def requests(place: Place, path: str = "/api/v4/", method: str = "") -> int:
    return len(place.calls(path, method))
