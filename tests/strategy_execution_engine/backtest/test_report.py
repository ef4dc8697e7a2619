import json
import re
import subprocess
from base64 import b64decode

import numpy as np
import pytest
from backtesting.test import EURUSD

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.backtest import Costs, FixedLots, backtest, render_report, run_backtest, write_report
from strategy_execution_engine.backtest.report_data import overlays
from strategy_execution_engine.backtest.report_tables import cost_steps, verdict
from strategy_execution_engine.strategies import MACrossoverStrategy, Signal, VolatilityBreakoutStrategy
from strategy_execution_engine.strategies.market import bars_of

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'"


@pytest.fixture(scope="module")
def eurusd():
    return EURUSD.rename(columns=str.lower).tz_localize("UTC").iloc[:1500]


@pytest.fixture
async def results(eurusd):
    strategies = [
        MACrossoverStrategy("cross", use_feature_store=False),
        VolatilityBreakoutStrategy("squeeze", use_feature_store=False),
    ]
    return [await run_backtest(strategy, eurusd, symbol="EUR/USD") for strategy in strategies]


def embedded(page):
    """Return the charts' data as the page's script reads it."""
    return json.loads(re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page, re.DOTALL)[1])


def test_a_report_is_one_file_that_asks_for_nothing(results):
    page = render_report(results)
    assert "default-src 'none'" in page
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert "http://" not in page
    assert "https://" not in page
    assert len(page) < 1_000_000


def test_what_came_with_the_data_cannot_become_markup(bars_of_tuples, signal_at):
    frame = bars_of_tuples([(1.1, 1.1, 1.1, 1.1)] * 4)
    signal = Signal("EUR/USD", frame.index[0], "long", HOSTILE, entry=1.1, reasons={HOSTILE: 1.0})
    about = {"strategy": {"class": HOSTILE, "parameters": {HOSTILE: HOSTILE}}, HOSTILE: {HOSTILE: HOSTILE}}
    result = backtest(
        frame, [signal], sizing=FixedLots(0.1), name=HOSTILE, features={HOSTILE: np.full(4, 1.1)}, about=about
    )
    page = render_report([result, result], title=HOSTILE)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("</script>") == 2  # the data's and the program's own
    assert embedded(page)["runs"][0]["features"][0]["name"] == HOSTILE


def test_the_charts_hold_the_bars_once_and_every_trade(results):
    data = embedded(render_report(results))
    (bars,) = data["bars"].values()
    close = np.frombuffer(b64decode(bars["close"]), dtype="<f4")
    assert close == pytest.approx(results[0].bars.columns["close"], rel=1e-7)
    time = np.frombuffer(b64decode(bars["time"]), dtype="<u4")
    assert np.array_equal(time.astype(np.int64) * 1_000_000, results[0].bars.time)
    for run, result in zip(data["runs"], results, strict=True):
        assert len(run["trades"]) == len(result.trades)
        assert np.frombuffer(b64decode(run["equity"]), dtype="<f4") == pytest.approx(result.equity, rel=1e-6)


def test_features_at_the_prices_level_are_drawn_and_others_are_not(eurusd):
    close = eurusd["close"].to_numpy()
    features = {
        "keltner_20_10_1.5.upper": close * 1.01,
        "keltner_20_10_1.5.lower": close * 0.99,
        "sma_10": np.concatenate(([np.nan], close[1:])),
        "bbands_20_2.percent_b": np.linspace(-0.2, 1.2, len(close)),
        "atr_14": close * 0.001,
        "unknown": np.full(len(close), np.nan),
    }
    assert overlays(bars_of(eurusd, "EUR/USD"), features) == {
        "keltner_20_10_1.5": ["keltner_20_10_1.5.upper", "keltner_20_10_1.5.lower"],
        "sma_10": ["sma_10"],
    }


def test_every_trade_stands_in_the_table_with_its_reasons(results):
    page = render_report(results[0])
    assert page.count("<tr data-trade=") == len(results[0].trades)
    assert "ma_cross: fast 1." in page


def test_the_tables_show_what_the_result_holds(results):
    page, numbers = render_report(results[0]), results[0].statistics
    sign = "+" if numbers.net > 0 else "\N{MINUS SIGN}"
    assert f"{sign}{abs(numbers.net):,.2f} USD" in page
    assert results[0].manifest["data"]["sha256"] in page
    assert results[0].manifest["features"]["versions"]["sma_10"] in page


def test_the_report_says_that_no_edge_is_to_be_expected(results):
    assert "Expect no edge after costs." in render_report(results[0])


@pytest.mark.parametrize(
    ("moves", "sentence"),
    [
        ([], "Nothing was traded"),
        ([-1] * 40, "The rule lost after costs; 100 % of coin-tossed runs did at least as well."),
        ([1, -1] * 20 + [1], "is not distinguishable from luck."),
        ([1] * 40, "did as well in only 0.0 % of runs. That is uncommon for one rule looked at once"),
        ([1] * 3, "3 trades are too few to tell in any case."),
    ],
)
def test_the_verdict_says_what_the_numbers_allow(bars_of_tuples, signal_at, moves, sentence):
    rows, signals = [(1.1, 1.1, 1.1, 1.1)], []
    for move in moves:  # bought at an open, sold at the next, and a bar of rest
        price = 1.1 + 0.001 * move
        rows += [(1.1, 1.1, 1.1, 1.1), (price, price, price, price), (1.1, 1.1, 1.1, 1.1)]
    frame = bars_of_tuples([*rows, (1.1, 1.1, 1.1, 1.1)])
    signals = [signal_at(frame, 3 * k, "long", expiry=1) for k in range(len(moves))]
    result = backtest(frame, signals, costs=Costs.none(), sizing=FixedLots(0.1))
    assert len(result.trades) == len(moves)
    assert sentence in verdict(result)


def test_the_cost_steps_lead_from_gross_to_net_on_one_scale(bars_of_tuples, signal_at):
    # 20 pips gross on 10,000 units are 20.00; a spread of 4 pips costs 4.00, so the bars end at 100 % and 80 %
    frame = bars_of_tuples([(p, p, p, p) for p in (1.1, 1.1, 1.102)])
    result = backtest(frame, [signal_at(frame, 0, "long")], costs=Costs(4.0, 0), sizing=FixedLots(0.1))
    steps = cost_steps(result)
    assert 'class="plus" style="left:0.00%;width:100.00%"' in steps
    assert 'class="minus" style="left:80.00%;width:20.00%"' in steps
    assert 'class="total" style="left:0.00%;width:80.00%"' in steps


def test_a_report_without_a_single_trade_can_be_read(eurusd):
    page = render_report(backtest(eurusd, [], symbol="EUR/USD"))
    assert "Nothing was traded" in page
    assert "nan" not in page.split("<script")[0].lower().replace("finance", "")


def test_a_written_report_replaces_the_old_one_whole(results, tmp_path):
    path = tmp_path / "new" / "folder" / "report.html"
    assert write_report(results[0], path) == path
    first = path.read_text(encoding="utf-8")
    write_report(results, path)
    assert path.read_text(encoding="utf-8") != first
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def test_a_report_of_nothing_is_refused():
    with pytest.raises(InvalidRequestError, match="at least one result"):
        render_report([])


@pytest.mark.browser
def test_a_browser_runs_the_report_without_an_error(results, tmp_path, chromium):
    page = render_report(results).replace(
        "</body>",
        """<script>
        const choose = (what) => document.querySelector(what).click();
        addEventListener("error", (event) => { document.title = "broke: " + event.message; });
        setTimeout(() => {
          choose('#run-0 [data-zoom="all"]'); choose('#run-0 .legend button'); choose('nav.tabs a:nth-child(2)');
          choose('#run-1 tr[data-trade="3"]');
        }, 500);
        setTimeout(() => {
          const pixels = document.querySelector("#run-1 canvas.candles").getContext("2d").getImageData(0, 0, 600, 300).data;
          if (!document.title.startsWith("broke")) document.title = "drew " + pixels.some(Boolean)
            + ", told " + document.querySelector("#run-1 .readout").textContent.includes("squeeze_break");
        }, 1500);
        </script></body>""",
    )
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    state = [f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=8000", "--dump-dom", path.as_uri()]
    shown = subprocess.run([chromium, *options, *state], capture_output=True, text=True, timeout=120, check=False)
    assert "<title>drew true, told true</title>" in shown.stdout
