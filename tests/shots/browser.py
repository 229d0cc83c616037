"""A browser without a window, told what to show and what to photograph through a pipe: needs no package.

The protocol: https://chromedevtools.github.io/devtools-protocol/ (`--remote-debugging-pipe`).
"""

import base64
import io
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome")
END = b"\0"


class Browser:
    """One page of it."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = os.fdopen(answers, "rb", buffering=0)
        self._rest = b""
        self._numbers = itertools.count(1)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._page = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def shot(self, page: Path, *, wide: int, high: int = 0, dark: bool = False) -> bytes:
        """A PNG of the page, from its top; `high`: so much of it, 0 = all."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._of_page("Emulation.setEmulatedMedia", features=[scheme])
        self._of_page(
            "Emulation.setDeviceMetricsOverride",
            width=wide,
            height=high or 800,
            deviceScaleFactor=1,
            mobile=wide < 600,
        )
        self._of_page("Page.enable")
        self._of_page("Page.navigate", url=page.resolve().as_uri())
        while self.said("document.readyState") != "complete":
            time.sleep(0.02)
        size = self._of_page("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": wide, "height": high or size["height"], "scale": 1}
        taken = self._of_page("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def said(self, expression: str) -> Any:
        """What a line of JavaScript gives on the page that is open."""
        return self._of_page("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get(
            "value"
        )

    def _of_page(self, method: str, **how: Any) -> dict[str, Any]:
        return self._ask(method, session=self._page, **how)

    def _ask(self, method: str, *, session: str = "", **how: Any) -> dict[str, Any]:
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": how, **({"sessionId": session} if session else {})}
        os.write(self._commands, json.dumps(order).encode() + END)
        while True:
            told = json.loads(self._read())
            if told.get("id") == number:  # what else it tells are events
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                answer: dict[str, Any] = told["result"]
                return answer

    def _read(self) -> bytes:
        while END not in self._rest:
            piece = self._answers.read(1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._rest += piece
        told, _, self._rest = self._rest.partition(END)
        return told


@contextmanager
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise SystemExit(f"none of {', '.join(NAMES)} is installed")
    to_it, commands = os.pipe()
    answers, from_it = os.pipe()
    with tempfile.TemporaryDirectory(prefix="sarafan-shots-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(  # noqa: S603 - it is one of NAMES
            [
                "/bin/sh", "-c", f'exec "$@" 3<&{to_it} 4>&{from_it}', "sh", program,
                "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
            ],
            pass_fds=(to_it, from_it),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_it)
        os.close(from_it)
        try:
            yield Browser(commands, answers)
        finally:
            os.close(commands)  # with which it ends
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def small(png: bytes, *, colours: int = 64, wide: int = 0) -> bytes:
    """With few colours, the rarest too: a third as large. `wide`: so many pixels."""
    with Image.open(io.BytesIO(png)) as picture:
        whole = picture.convert("RGB")
        if wide:
            whole = whole.resize((wide, round(whole.height * wide / whole.width)))
        few = whole.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        file = io.BytesIO()
        few.save(file, format="png", optimize=True)
        return file.getvalue()
