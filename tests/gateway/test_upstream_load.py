"""Many answers at once."""

import asyncio
from urllib.parse import urlsplit

import pytest
from tests.model_server import ModelServer, Reply

from opsroom.engines.openai_upstream import OpenAIUpstream
from opsroom.gateway.completions.model import Path
from opsroom.gateway.completions.ports import Sent
from opsroom.models.route import Target


@pytest.mark.slow
def test_more_streams_than_a_client_usually_has_begin_at_once() -> None:
    endless = Reply(body=b"data: {}", headers={"Content-Length": "9999"})

    async def begun(url: str) -> int:
        there = OpenAIUpstream(allow=(urlsplit(url).netloc,))
        target = Target(model="m1", endpoint=url)
        sent = Sent(target=target, path=Path.CHAT, body=b"{}", stream=True)
        found = await asyncio.gather(*[there.send(sent) for _ in range(150)])
        await asyncio.gather(*[one.close() for one in found])
        await there.close()
        return len(found)

    with ModelServer(reply=lambda _: endless) as server:
        assert asyncio.run(asyncio.wait_for(begun(server.url), 120)) == 150
