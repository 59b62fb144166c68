"""Promises about reading ahead: the same items, as far ahead as asked, errors where they arose, no thread left."""

import threading
import traceback
from contextlib import closing
from itertools import count, islice

import pytest

from raysweep.data.reading.prefetch import read_ahead

COUNTS = pytest.mark.parametrize("ahead", [0, 1, 2, 5])


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


@COUNTS
@pytest.mark.parametrize("length", [0, 1, 2, 3, 20])
def test_every_item_once_in_order(ahead, length):
    assert list(read_ahead(iter(range(length)), ahead)) == list(range(length))


@COUNTS
def test_as_many_as_asked_are_read_beyond_the_one_in_use(ahead):
    read, reached = [], threading.Event()

    def numbers():
        for number in count():
            read.append(number)
            if number == 3 + ahead:
                reached.set()
            yield number

    with closing(read_ahead(numbers(), ahead)) as stream:
        assert list(islice(stream, 4)) == [0, 1, 2, 3]
        assert reached.wait(10)
    assert read == list(range(4 + ahead))


def failing():
    yield from range(3)
    raise OSError("the disk is gone")


@COUNTS
def test_an_error_comes_at_its_item_with_where_it_arose(ahead):
    stream = read_ahead(failing(), ahead)
    assert list(islice(stream, 3)) == [0, 1, 2]
    with pytest.raises(OSError, match="the disk is gone") as caught:
        next(stream)
    assert "failing" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert not threads()


@COUNTS
def test_closing_ends_the_thread(ahead):
    stream = read_ahead(count(), ahead)
    next(stream)
    assert len(threads()) == (ahead > 0)
    stream.close()
    assert not threads()
