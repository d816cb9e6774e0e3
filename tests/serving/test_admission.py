import asyncio

import pytest

from tintype.serving.admission import House
from tintype.serving.responses import Refusal


def house(places: int = 2, files: int = 100, pixels: int = 100) -> House:
    return House(places, files, pixels, observe=lambda _: None)


def test_who_finds_no_place_is_sent_away_until_one_leaves():
    full = house()
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
    small = house()
    place = small.enter(1000)
    with pytest.raises(Refusal):
        small.enter(1)
    assert (small.photos, small.bytes) == (1, 1000)
    place.leave()
    assert (small.photos, small.bytes) == (0, 0)


def test_a_file_of_unknown_length_is_counted_as_it_comes():
    small = house()
    announced, chunked = small.enter(60), small.enter(0)
    chunked.hold(30)
    chunked.hold(40)
    assert small.bytes == 100
    with pytest.raises(Refusal):
        chunked.hold(41)
    chunked.leave()
    announced.leave()
    assert small.bytes == 0


def test_room_is_waited_for_in_the_order_of_asking():
    async def story() -> list[str]:
        told: list[str] = []
        rooms = house(pixels=100)

        async def visit(name: str, pixels: int, stay: asyncio.Event) -> None:
            async with rooms.room(pixels):
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
        assert rooms.decoded == 0
        return told

    asyncio.run(story())


def test_what_is_known_to_be_smaller_makes_room():
    async def story() -> None:
        rooms = house(pixels=100)
        async with rooms.room(100) as first:
            waiting = asyncio.create_task(anext(aiter_room(rooms, 90)))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            first.shrink(10)
            await asyncio.wait_for(waiting, 1)
            assert rooms.decoded == 100
        assert rooms.decoded == 90

    async def aiter_room(rooms: House, pixels: int):
        async with rooms.room(pixels):
            yield

    asyncio.run(story())


def test_a_photo_larger_than_the_room_is_let_in_alone():
    async def story() -> None:
        rooms = house(pixels=100)
        async with rooms.room(1000):
            assert rooms.decoded == 1000
        assert rooms.decoded == 0

    asyncio.run(story())


def test_one_who_stops_waiting_leaves_nothing_behind():
    async def story() -> None:
        rooms = house(pixels=100)

        async def visit() -> None:
            async with rooms.room(100):
                await asyncio.sleep(0)

        async with rooms.room(100):
            waiting = [asyncio.create_task(visit()) for _ in range(3)]
            await asyncio.sleep(0.01)
            waiting[0].cancel()
            await asyncio.sleep(0)
        waiting[1].cancel()  # it was called in at this very moment
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not waiting[2].cancelled()
        assert rooms.decoded == 0

    asyncio.run(story())
