"""What the dashboard's page looks like: metrics in, Dash components out. Nothing here keeps state or reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dash_bootstrap_components as dbc  # type: ignore[import-untyped]  # ships no types
import plotly.graph_objects as go
from dash import dcc, html

from strategy_execution_engine.monitoring.sampler import Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dash.development.base_component import Component

    from strategy_execution_engine.monitoring.sampler import Metrics, Point

BLUE, GREEN, AMBER, RED, VIOLET, TEAL = "#3b82f6", "#10b981", "#f59e0b", "#ef4444", "#8b5cf6", "#14b8a6"
_ANSWERS = {
    "live": GREEN,
    "cache": BLUE,
    "stale": AMBER,
    "direct": VIOLET,
    "synthetic": RED,
    "200": GREEN,
    "304": GREEN,
    "500": RED,
    "503": RED,
}
_MOST_BARS = 8
_LEAST_SHOWN_S = 60
_FEW_DECADES = 100
NO_VALUE = "\N{EN DASH}"

# The default alert thresholds: from where a figure is a warning, and from where it is bad.
_ERROR_RATE = (0.05, 0.10)
_SLOW_MS = (500.0, 1000.0)
_HIT_RATE = (0.50, 0.30)


def layout(source: str, every_ms: int) -> Component:
    """Return the page's frame, to be filled every `every_ms` milliseconds; `source` says whose metrics these are."""
    page: Component = dbc.Container(
        [
            html.Header(
                [
                    html.Div([html.H1("Feature store"), html.P(source, className="source")]),
                    html.Div(
                        [html.Div(id="health", role="status"), html.P("connecting", id="age", className="source")],
                        className="state",
                    ),
                ]
            ),
            html.Div(id="cards", className="cards"),
            html.Div(
                [
                    _panel("Traffic per second", "rate", "Line chart of calls and errors per second"),
                    _panel("Response time", "latency", "Line chart of the median, p95 and p99 response time"),
                    _panel("By method or route", "names", "Bar chart of calls by method, or requests by route"),
                    _panel("By source or status", "answers", "Bar chart of answers by source, or by HTTP status"),
                ],
                className="panels",
            ),
            html.Div(id="tables", className="panels"),
            dcc.Interval(id="tick", interval=every_ms),
            dcc.Interval(id="second", interval=1000),
            dcc.Store(id="updated"),
        ],
        fluid=True,
        className="page",
    )
    return page


def update(metrics: Metrics, points: Sequence[Point]) -> dict[str, Any]:
    """Return what goes into the frame's places, by their id."""
    traffic = Traffic.of(metrics)
    return {
        "health": health(metrics, traffic),
        "cards": cards(metrics, traffic),
        "rate": rate_chart(points, traffic.noun),
        "latency": latency_chart(points),
        "names": bar_chart(traffic.by_name, {}, f"No {traffic.noun} yet"),
        "answers": bar_chart(traffic.by_answer, _ANSWERS, "No answers yet"),
        "tables": tables(metrics),
    }


def unreachable(reason: str) -> list[Component]:
    """Return the health mark for metrics that could not be read, with the reason."""
    return [dbc.Badge("No metrics", className="bad"), html.Span(reason, className="reason")]


def health(metrics: Metrics, traffic: Traffic) -> list[Component]:
    """Return one word for how things are, and why."""
    if not traffic.total:
        return [dbc.Badge(f"Waiting for {traffic.noun}", className="idle")]
    worst, reason = "good", ""
    for level, cause in _troubles(metrics, traffic):
        if level == "bad" or (level == "warn" and worst == "good"):
            worst, reason = level, cause
    word = {"good": "Healthy", "warn": "Degraded", "bad": "Failing"}[worst]
    return [dbc.Badge(word, className=worst), *([html.Span(reason, className="reason")] if reason else [])]


def _troubles(metrics: Metrics, traffic: Traffic) -> list[tuple[str, str]]:
    breakers = metrics["breakers"].items()
    opened = [endpoint for endpoint, state in breakers if state == "open"]
    probing = [endpoint for endpoint, state in breakers if state == "half_open"]
    fallback_rate = metrics["window"]["fallback_rate"]
    return [
        (_level(_recent_error_rate(traffic), _ERROR_RATE), "errors in the last minute"),
        ("bad" if opened else "good", f"circuit breaker open: {', '.join(opened)}"),
        ("warn" if probing else "good", f"circuit breaker half open: {', '.join(probing)}"),
        (_level(fallback_rate, _ERROR_RATE), f"{fallback_rate:.0%} of the last minute's answers are fallbacks"),
        (_level(traffic.performance["p95"], _SLOW_MS), "slow responses"),
    ]


def cards(metrics: Metrics, traffic: Traffic) -> list[Component]:
    """Return the figures at the top."""
    cache, fallbacks, performance = metrics["cache"], metrics["fallbacks"], traffic.performance
    asked = cache["hits"] + cache["misses"]
    errors = _recent_error_rate(traffic)
    return [
        _card(
            f"API {traffic.noun}",
            number(traffic.total),
            f"{_per_second(metrics, traffic):,.1f}/s, last minute",
        ),
        _card(
            "Error rate",
            f"{errors:.1%}",
            f"{_count(traffic.errors, 'error')} since the start",
            _level(errors, _ERROR_RATE) if traffic.recent else "",
        ),
        _card(
            "Cache hit rate",
            f"{cache['hit_rate']:.1%}" if asked else NO_VALUE,
            f"{_count(cache['hits'], 'hit')}, {_count(cache['misses'], 'miss')}",
            _level(-cache["hit_rate"], (-_HIT_RATE[0], -_HIT_RATE[1])) if asked else "",
        ),
        _times_card(performance),
        _card(
            "Fallbacks",
            number(fallbacks["total"]),
            ", ".join(f"{kind} {number(count)}" for kind, count in sorted(fallbacks["by_kind"].items()))
            or "none needed",
            _level(metrics["window"]["fallback_rate"], _ERROR_RATE) if metrics["window"]["fallbacks"] else "",
        ),
    ]


def tables(metrics: Metrics) -> list[Component]:
    """Return errors by type and the circuit breakers."""
    errors = sorted(metrics["errors"]["by_type"].items(), key=lambda row: -row[1])
    breakers = [(endpoint, state.replace("_", " ")) for endpoint, state in sorted(metrics["breakers"].items())]
    rows = [(name.replace("_", " "), number(count)) for name, count in errors]
    return [
        _panel_of("Errors by type", _table(rows, "No errors")),
        _panel_of("Circuit breakers", _table(breakers, "None has changed state")),
    ]


# ---------------------------------------------------------------- charts
def rate_chart(points: Sequence[Point], noun: str) -> go.Figure:
    """Return calls and errors per second over time."""
    times = _times(points)
    rates = _line(times, [p.rate for p in points], noun, BLUE, fill="tozeroy", fillcolor="rgba(59,130,246,0.18)")
    errors = _line(times, [p.error_rate for p in points], "errors", RED)
    return _over_time([rates, errors], points)


def latency_chart(points: Sequence[Point]) -> go.Figure:
    """Return the quantiles of the latest response times over time."""
    times = _times(points)
    lines = [
        _line(times, [getattr(p, name) or None for p in points], name, colour)  # a logarithm has no place for 0
        for name, colour in (("p50", TEAL), ("p95", AMBER), ("p99", RED))
    ]
    figure = _over_time(lines, points)
    if not points:
        return figure
    if not points[-1].p99:
        return _empty(figure, "No calls yet")
    return figure.update_yaxes(type="log", **_decades([p.p50 for p in points], [p.p99 for p in points]))


def _decades(lowest: Sequence[float], highest: Sequence[float]) -> dict[str, Any]:
    """Return where a logarithmic axis of milliseconds is marked: every decade, and within them where it spans few."""
    narrow = max(highest) < _FEW_DECADES * min((value for value in lowest if value), default=1.0)
    ticks = [step * 10.0**power for power in range(-3, 6) for step in ((1, 2, 5) if narrow else (1,))]
    return {"tickvals": ticks, "ticktext": [milliseconds(tick).replace(".0 ", " ") for tick in ticks]}


def bar_chart(counts: Mapping[str, int], colours: Mapping[str, str], empty: str) -> go.Figure:
    """Return one bar a name, the longest on top; the smallest beyond eight are one bar."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown, rest = ordered[:_MOST_BARS], ordered[_MOST_BARS:]
    if rest:
        shown.append((f"{len(rest)} more", sum(count for _, count in rest)))
    shown.reverse()  # the axis runs upwards
    names, values = [name for name, _ in shown], [count for _, count in shown]
    bars = go.Bar(
        x=values,
        y=names,
        orientation="h",
        marker={"color": [colours.get(name, BLUE) for name in names], "cornerradius": 4, "line": {"width": 0}},
        text=[number(value) for value in values],
        textposition="auto",
        textangle=0,
        insidetextanchor="end",
        insidetextfont={"color": "white"},
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure = _figure([bars]).update_layout(bargap=0.35, height=36 * max(len(shown), 3) + 30)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(showgrid=False, ticksuffix="  ")
    return figure if shown else _empty(figure, empty)


def _line(times: Sequence[datetime], values: Sequence[float | None], name: str, colour: str, **more: Any) -> go.Scatter:
    return go.Scatter(x=times, y=values, name=name, mode="lines", line={"color": colour, "width": 2}, **more)


def _times(points: Sequence[Point]) -> list[datetime]:
    return [datetime.fromtimestamp(point.time, UTC) for point in points]


def _over_time(traces: list[go.Scatter], points: Sequence[Point]) -> go.Figure:
    figure = _figure(traces).update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    figure.update_layout(hovermode="x unified", showlegend=True)
    figure.update_yaxes(rangemode="tozero", nticks=5)
    if not points:
        return _empty(figure, "Collecting the first seconds")
    last = points[-1].time
    shown = [datetime.fromtimestamp(at, UTC) for at in (min(points[0].time, last - _LEAST_SHOWN_S), last)]
    return figure.update_xaxes(showgrid=False, tickformat="%H:%M:%S", nticks=5, range=shown)


def _figure(traces: Sequence[Any]) -> go.Figure:
    # No colours for text and grid: the stylesheet knows whether the page is light or dark.
    return go.Figure(traces).update_layout(
        height=240,
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12},
        dragmode=False,
        uirevision="keep",
        xaxis={"automargin": True, "zeroline": False},
        yaxis={"automargin": True, "zeroline": False},
    )


def _empty(figure: go.Figure, text: str) -> go.Figure:
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(showlegend=False)
    return figure.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")


# ---------------------------------------------------------------- pieces
def _card(title: str, value: str, note: str, level: str = "") -> Component:
    body = [html.H2(title), html.Div(value, className=f"value {level}"), html.P(note)]
    return _framed(body, level)


def _times_card(performance: Mapping[str, float]) -> Component:
    level = _level(performance["p95"], _SLOW_MS) if performance["request_count"] else ""
    measured = bool(performance["request_count"])
    figures = [
        html.Div([html.Div(milliseconds(performance[name]) if measured else NO_VALUE, className="value"), html.P(name)])
        for name in ("p50", "p95", "p99")
    ]
    note = f"average {milliseconds(performance['avg'])}, slowest {milliseconds(performance['max'])}" if measured else ""
    body = [html.H2("Response time"), html.Div(figures, className="figures"), html.P(note)]
    return _framed(body, f"wide {level}")


def _panel(title: str, graph: str, description: str) -> Component:
    drawing = dcc.Graph(id=graph, config={"displayModeBar": False, "responsive": True}, figure=_figure([]))
    label: dict[str, Any] = {"aria-label": description}
    return _panel_of(title, html.Div(drawing, role="img", **label))


def _panel_of(title: str, content: Component) -> Component:
    return _framed([html.H2(title), content], "panel")


def _framed(content: list[Component], style: str) -> Component:
    card: Component = dbc.Card(dbc.CardBody(content), className=style)
    return card


def _table(rows: Sequence[tuple[str, str]], empty: str) -> Component:
    if not rows:
        return html.P(empty, className="none")
    table: Component = dbc.Table(html.Tbody([html.Tr([html.Td(name), html.Td(value)]) for name, value in rows]))
    return table


def _level(value: float, thresholds: tuple[float, float]) -> str:
    warning, bad = thresholds
    return "bad" if value >= bad else "warn" if value >= warning else "good"


def _recent_error_rate(traffic: Traffic) -> float:
    return traffic.recent_errors / traffic.recent if traffic.recent else 0.0


def _per_second(metrics: Metrics, traffic: Traffic) -> float:
    seconds = min(metrics["window"]["seconds"], metrics["uptime_s"])
    return traffic.recent / seconds if seconds else 0.0


def _count(count: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number(count)} {noun if count == 1 else plural}"


def number(value: float) -> str:
    """Return a count as people read it.

    >>> number(12_345), number(3_210_000)
    ('12,345', '3.21 M')
    """
    return f"{value:,.0f}" if value < 1e6 else f"{value / 1e6:,.2f} M"  # noqa: PLR2004  a million


def milliseconds(value: float) -> str:
    """Return a duration given in milliseconds, in the unit that suits it.

    >>> milliseconds(0.042), milliseconds(7.25), milliseconds(1500)
    ('42 µs', '7.2 ms', '1.5 s')
    """
    if value < 1:
        return f"{1000 * value:.0f} µs"
    if value < 1000:  # noqa: PLR2004  a second
        return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"  # noqa: PLR2004
    return f"{value / 1000:.1f} s"
