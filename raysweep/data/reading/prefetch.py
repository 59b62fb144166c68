"""Reading ahead of who consumes, by a thread: the same items in the same order, only sooner."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Iterator[T], count: int) -> Generator[T]:
    """`items`, up to `count` of them read before they are asked for; 0: none, and no thread.

    What goes wrong while reading is raised at the item it went wrong at. Closing ends the thread.
    """
    if count == 0:
        yield from items
        return
    end = object()
    thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        ahead = deque(thread.submit(next, items, end) for _ in range(count))
        while (item := ahead.popleft().result()) is not end:
            ahead.append(thread.submit(next, items, end))
            yield item  # type: ignore[misc]
    finally:
        thread.shutdown(cancel_futures=True)
