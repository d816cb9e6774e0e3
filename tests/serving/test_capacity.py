import asyncio

import pytest

from tintype.serving.http.capacity import Capacity
from tintype.serving.http.errors import Refusal


def capacity(photos: int = 2, file_bytes: int = 100, pixels: int = 100) -> Capacity:
    return Capacity(photos, file_bytes, pixels, observe=lambda _: None)


def test_who_finds_no_slot_is_sent_away_until_one_leaves():
    full = capacity()
    first, _ = full.enter(1), full.enter(1)
    with pytest.raises(Refusal) as caught:
        full.enter(1)
    assert (caught.value.status, caught.value.code) == (503, "overloaded")
    assert int(caught.value.headers["Retry-After"]) >= 1
    first.leave()
    first.leave()  # twice is once
    full.enter(1)
    assert full.photos == 2


def test_bytes_are_bounded_but_one_file_always_fits():
    small = capacity()
    slot = small.enter(1000)
    with pytest.raises(Refusal):
        small.enter(1)
    assert (small.photos, small.file_bytes) == (1, 1000)
    slot.leave()
    assert (small.photos, small.file_bytes) == (0, 0)


def test_a_file_of_unknown_length_is_counted_as_it_comes():
    small = capacity()
    announced, chunked = small.enter(60), small.enter(0)
    chunked.hold(30)
    chunked.hold(40)
    assert small.file_bytes == 100
    with pytest.raises(Refusal):
        chunked.hold(41)
    chunked.leave()
    announced.leave()
    assert small.file_bytes == 0


def test_room_is_waited_for_in_the_order_of_asking():
    async def story() -> list[str]:
        told: list[str] = []
        rooms = capacity(pixels=100)

        async def visit(name: str, pixels: int, stay: asyncio.Event) -> None:
            async with rooms.pixel_lease(pixels):
                told.append(name)
                await stay.wait()
            told.append(f"{name} left")

        stays = {name: asyncio.Event() for name in "abc"}
        tasks = []
        for name, pixels in (("a", 60), ("b", 60), ("c", 10)):
            tasks.append(asyncio.create_task(visit(name, pixels, stays[name])))
            await asyncio.sleep(0)
        assert told == ["a"]  # c would fit, but b was first
        stays["a"].set()
        await asyncio.sleep(0.01)
        assert told == ["a", "a left", "b", "c"]
        for stay in stays.values():
            stay.set()
        await asyncio.gather(*tasks)
        assert rooms.pixels == 0
        return told

    asyncio.run(story())


def test_what_is_known_to_be_smaller_makes_room():
    async def story() -> None:
        rooms = capacity(pixels=100)
        async with rooms.pixel_lease(100) as first:
            waiting = asyncio.create_task(anext(aiter_lease(rooms, 90)))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            first.shrink(10)
            await asyncio.wait_for(waiting, 1)
            assert rooms.pixels == 100
        assert rooms.pixels == 90

    async def aiter_lease(rooms: Capacity, pixels: int):
        async with rooms.pixel_lease(pixels):
            yield

    asyncio.run(story())


def test_a_photo_larger_than_the_room_is_let_in_alone():
    async def story() -> None:
        rooms = capacity(pixels=100)
        async with rooms.pixel_lease(1000):
            assert rooms.pixels == 1000
        assert rooms.pixels == 0

    asyncio.run(story())


def test_one_who_stops_waiting_leaves_nothing_behind():
    async def story() -> None:
        rooms = capacity(pixels=100)

        async def visit() -> None:
            async with rooms.pixel_lease(100):
                await asyncio.sleep(0)

        async with rooms.pixel_lease(100):
            waiting = [asyncio.create_task(visit()) for _ in range(3)]
            await asyncio.sleep(0.01)
            waiting[0].cancel()
            await asyncio.sleep(0)
        waiting[1].cancel()  # it was called in at this very moment
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not waiting[2].cancelled()
        assert rooms.pixels == 0

    asyncio.run(story())
