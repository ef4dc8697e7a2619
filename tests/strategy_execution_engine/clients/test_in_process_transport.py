import threading

import pytest

from feature_store.errors import DataNotFoundError, FeatureNotFoundError, FeatureStoreTimeoutError
from feature_store.wire import FeatureRequest
from strategy_execution_engine.clients.in_process_transport import InProcessTransport
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.transport import Call

ASKED = FeatureRequest.of("EUR/USD", "1h", "2023-01-02", "2023-01-03", ["rsi_14"])
BY_NAME = FeatureRequest.of("EUR/USD", "1h", "2023-01-02", "2023-01-03", ["rsi"])


async def test_it_hands_over_what_the_store_answers(store):
    transport = InProcessTransport(store)
    bars = FeatureRequest.of("EUR/USD", "1h", "2023-01-02", "2023-01-02")
    assert list((await transport.send(Call("ohlcv", bars), 5.0)).columns) == list(store.bars.columns)
    assert list((await transport.send(Call("indicators", ASKED), 5.0)).columns) == ["rsi_14"]
    computed = await transport.send(Call("compute", BY_NAME, parameters=(("period", 5),)), 5.0)
    assert list(computed.columns) == ["rsi_5"]
    assert "rsi" in {each["id"] for each in (await transport.send(Call("catalog"), 5.0))["indicators"]}
    about = await transport.send(Call("indicator", indicator="rsi_5"), 5.0)
    assert about["parameters"]["period"]["value"] == 5
    await transport.close()


async def test_the_stores_errors_come_through_as_they_are():
    class Empty:
        def frame(self, _):
            raise DataNotFoundError("nothing is stored")

    transport = InProcessTransport(Empty())
    with pytest.raises(DataNotFoundError, match="nothing is stored"):
        await transport.send(Call("indicators", ASKED), 5.0)
    with pytest.raises(FeatureNotFoundError):
        await transport.send(Call("indicator", indicator="rsj"), 5.0)


async def test_a_store_that_takes_too_long_is_a_timeout():
    release = threading.Event()

    class Slow:
        def frame(self, _):
            release.wait()

    with pytest.raises(Outage) as raised:
        await InProcessTransport(Slow()).send(Call("indicators", ASKED), 0.02)
    release.set()
    assert isinstance(raised.value.error, FeatureStoreTimeoutError)


def test_two_transports_never_share_answers(store):
    assert InProcessTransport(store).identity != InProcessTransport(store).identity
