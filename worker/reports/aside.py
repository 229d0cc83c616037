"""Long reckoning beside the event loop, which meanwhile answers, sends and hears."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


async def aside(work: Callable[[], Result]) -> Result:
    """What it gives, or raises. It must touch nothing that others change.

    `asyncio.to_thread` would do, but for the end: a worker that is told to stop would wait for its threads.
    """
    answer: Future[Result] = Future()
    answer.set_running_or_notify_cancel()  # Who waits may be let go; the thread goes on, for nobody.

    def reckon() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            answer.set_exception(error)

    threading.Thread(target=reckon, name="reckoning", daemon=True).start()
    return await asyncio.wrap_future(answer)
