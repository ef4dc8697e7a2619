"use strict";
// Draws a backtest: candles of a window of bars, and below them the whole account with that window on it.
// x is a bar's number, not its time, so that weekends leave no holes. Nothing is loaded from anywhere.
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  document.documentElement.classList.add("js");

  // ------------------------------------------------------------ reading
  const buffer = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const floats = (text) => new Float32Array(buffer(text));
  const wholes = (text) => new Uint32Array(buffer(text));
  const barsOf = {};
  for (const [key, bars] of Object.entries(data.bars)) {
    barsOf[key] = { ...bars, time: wholes(bars.time), open: floats(bars.open), high: floats(bars.high), low: floats(bars.low), close: floats(bars.close) };
  }
  const runs = data.runs.map((run) => ({
    ...run,
    market: barsOf[run.bars],
    equity: floats(run.equity),
    features: run.features.map((group) => ({ ...group, shown: group.shown, lines: group.lines.map((line) => ({ ...line, values: floats(line.values) })) })),
  }));

  // ------------------------------------------------------------ writing
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const two = (number) => String(number).padStart(2, "0");
  const at = (seconds) => new Date(seconds * 1000);
  const moment = (seconds) => {
    const t = at(seconds);
    return `${DAYS[t.getUTCDay()]} ${t.getUTCDate()} ${MONTHS[t.getUTCMonth()]} ${t.getUTCFullYear()} ${two(t.getUTCHours())}:${two(t.getUTCMinutes())}`;
  };
  const minus = (text) => text.replace("-", "\u2212");
  const money = (value) => minus(value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
  const percent = (share, digits = 1) => minus(`${(share * 100).toFixed(digits)} %`);
  const element = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // ------------------------------------------------------------ drawing
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

  function surface(canvas) {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `11.5px ${getComputedStyle(document.body).fontFamily}`;
    pen.lineJoin = "round";
    return { pen, width, height };
  }

  function steps(low, high, count) {
    const raw = (high - low) / Math.max(1, count);
    if (!(raw > 0)) return [low];
    const unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((m) => m * unit).find((s) => s >= raw * 0.999);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(value);
    return found;
  }

  const range = (low, high, pad) => {
    const room = (high - low || Math.abs(high) * 1e-4 || 1) * pad;
    return [low - room, high + room];
  };

  // A tick where the calendar's unit changes; the smallest unit that leaves room for its labels.
  const UNITS = [
    ...[1, 2, 3, 6, 12].map((hours) => [3600 * hours, (s) => Math.floor(s / 3600 / hours)]),
    [86400, (s) => Math.floor(s / 86400)],
    [7 * 86400, (s) => Math.floor((s / 86400 + 3) / 7)],
    ...[1, 3].map((months) => [30.4 * 86400 * months, (s) => Math.floor((at(s).getUTCFullYear() * 12 + at(s).getUTCMonth()) / months)]),
    [365 * 86400, (s) => at(s).getUTCFullYear()],
  ];
  const sparse = (seconds, room) => UNITS.find(([length]) => seconds / length <= room) || UNITS[UNITS.length - 1];

  function timeTicks(time, first, last, room) {
    const [length, unit] = sparse(time[last] - time[first], room);
    const found = [];
    for (let i = Math.max(1, first); i <= last; i += 1) {
      if (unit(time[i]) === unit(time[i - 1])) continue;
      const t = at(time[i]), newDay = t.getUTCDate() !== at(time[i - 1]).getUTCDate();
      const date = `${t.getUTCDate()} ${MONTHS[t.getUTCMonth()]}`;
      const month = t.getUTCMonth() === 0 || length > 300 * 86400 ? String(t.getUTCFullYear()) : MONTHS[t.getUTCMonth()];
      found.push([i, length >= 30 * 86400 ? month : length >= 86400 || newDay ? date : `${two(t.getUTCHours())}:00`]);
    }
    return found;
  }

  function grid(pen, pane, low, high, label, count) {
    const y = (value) => pane.top + (high - value) / (high - low) * pane.height;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    for (const value of steps(low, high, count)) {
      const at = Math.round(y(value)) + 0.5;
      if (at < pane.top + 5 || at > pane.top + pane.height - 3) continue;
      pen.strokeStyle = colour("faint");
      pen.lineWidth = 1;
      pen.beginPath(); pen.moveTo(pane.left, at); pen.lineTo(pane.left + pane.width, at); pen.stroke();
      pen.fillStyle = colour("soft");
      pen.fillText(label(value), pane.left + pane.width + 7, at);
    }
    return y;
  }

  function timeAxis(pen, ticks, x, pane, bottom) {
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    let free = -Infinity;
    for (const [i, text] of ticks) {
      const at = x(i), half = pen.measureText(text).width / 2;
      if (at < pane.left || at > pane.left + pane.width) continue;
      pen.strokeStyle = colour("faint");
      pen.lineWidth = 1;
      pen.beginPath(); pen.moveTo(Math.round(at) + 0.5, pane.top); pen.lineTo(Math.round(at) + 0.5, bottom - 16); pen.stroke();
      if (at - half < free || at - half < pane.left - 4 || at + half > pane.left + pane.width + 30) continue;
      pen.fillStyle = colour("soft");
      pen.fillText(text, at, bottom - 3);
      free = at + half + 12;
    }
  }

  function line(pen, points) {
    let down = false;
    pen.beginPath();
    for (const [x, y] of points) {
      if (!Number.isFinite(y)) { down = false; continue; }
      if (down) pen.lineTo(x, y); else pen.moveTo(x, y);
      down = true;
    }
    pen.stroke();
  }

  // ------------------------------------------------------------ one run's chart
  class Chart {
    constructor(root, run) {
      this.root = root;
      this.run = run;
      this.rows = run.market.time.length;
      this.candles = root.querySelector("canvas.candles");
      this.account = root.querySelector("canvas.account");
      this.readout = root.querySelector(".readout");
      this.hovered = null;
      this.chosen = null;
      this.asked = false;
      this.falls = new Float32Array(this.rows);
      let peak = -Infinity;
      run.equity.forEach((value, i) => { peak = Math.max(peak, value); this.falls[i] = value / peak - 1; });
      this.show(this.rows - Math.min(this.rows, this.candles.clientWidth < 500 ? 80 : 220), this.rows);
      this.describe(this.rows - 1);
      this.buttons();
      this.listen();
    }

    show(from, to) {
      const width = clamp(to - from, Math.min(20, this.rows), this.rows);
      const begin = clamp(from, 0, this.rows - width);
      this.from = begin;
      this.to = begin + width;
      this.ask();
    }

    zoom(factor, middle = (this.from + this.to) / 2) {
      this.show(middle - (middle - this.from) * factor, middle + (this.to - middle) * factor);
    }

    choose(number) {
      const trade = this.run.trades[number];
      const room = Math.max(25, (trade.exit_row - trade.entry_row) * 0.8);
      this.chosen = trade;
      this.show(trade.entry_row - room, trade.exit_row + room);
      this.tell(trade.entry_row);
    }

    ask() {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.draw(); });
    }

    draw() {
      if (!this.candles.clientWidth) return;
      this.drawCandles();
      this.drawAccount();
    }

    drawCandles() {
      const { pen, width, height } = surface(this.candles), market = this.run.market;
      const axis = width < 500 ? 54 : 62;
      const pane = { left: 0, top: 4, width: width - axis, height: height - 24 };
      const wide = pane.width / (this.to - this.from);
      const first = Math.max(0, Math.floor(this.from)), last = Math.min(this.rows - 1, Math.ceil(this.to) - 1);
      const x = (i) => pane.left + (i + 0.5 - this.from) * wide;
      this.plot = { x, pane, wide };
      let low = Infinity, high = -Infinity;
      for (let i = first; i <= last; i += 1) { low = Math.min(low, market.low[i]); high = Math.max(high, market.high[i]); }
      for (const group of this.run.features) {
        if (!group.shown) continue;
        for (const { values } of group.lines) for (let i = first; i <= last; i += 1) {
          if (values[i] < low) low = values[i];
          if (values[i] > high) high = values[i];
        }
      }
      [low, high] = range(low, high, 0.07);
      timeAxis(pen, timeTicks(market.time, first, last, pane.width / 50), x, pane, height);
      const y = grid(pen, pane, low, high, (value) => value.toFixed(market.digits - 1), height / 62);
      pen.save();
      pen.beginPath(); pen.rect(pane.left, 0, pane.width, pane.top + pane.height); pen.clip();
      this.lines(pen, x, y, wide, first, last);
      this.bodies(pen, x, y, wide, first, last);
      this.trades(pen, x, y, wide, first, last);
      this.crosshair(pen, x, pane);
      pen.restore();
    }

    bodies(pen, x, y, wide, first, last) {
      const { open, high, low, close } = this.run.market;
      const group = Math.max(1, Math.ceil(2.2 / wide)), body = Math.max(1, Math.round(wide * group * 0.64));
      pen.strokeStyle = pen.fillStyle = colour("candle");
      pen.lineWidth = 1;
      for (let begin = Math.floor(first / group) * group; begin <= last; begin += group) {
        const end = Math.min(begin + group, this.rows) - 1;
        let top = -Infinity, bottom = Infinity;
        for (let i = begin; i <= end; i += 1) { top = Math.max(top, high[i]); bottom = Math.min(bottom, low[i]); }
        const middle = Math.round(x((begin + end) / 2)) + 0.5;
        const opened = y(open[begin]), closed = y(close[end]);
        pen.beginPath(); pen.moveTo(middle, y(top)); pen.lineTo(middle, y(bottom)); pen.stroke();
        if (body < 2) continue;
        const left = Math.round(middle - body / 2), from = Math.min(opened, closed), tall = Math.max(1, Math.abs(closed - opened));
        if (close[end] >= open[begin]) {
          pen.fillStyle = colour("hollow");
          pen.fillRect(left, from, body, tall);
          pen.strokeRect(left + 0.5, from, body - 1, tall);
          pen.fillStyle = colour("candle");
        } else pen.fillRect(left, from, body, tall);
      }
    }

    lines(pen, x, y, wide, first, last) {
      const stride = Math.max(1, Math.floor(1 / wide));
      for (const group of this.run.features) {
        if (!group.shown) continue;
        for (const { values, minor } of group.lines) {
          pen.strokeStyle = colour(group.colour);
          pen.lineWidth = minor ? 1 : 1.5;
          pen.globalAlpha = (minor ? 0.55 : 0.9) * clamp(wide, 0.35, 1);
          pen.setLineDash(minor ? [3, 3] : []);
          const points = [];
          for (let i = Math.max(0, first - 1); i <= Math.min(this.rows - 1, last + 1); i += stride) points.push([x(i), y(values[i])]);
          line(pen, points);
        }
      }
      pen.setLineDash([]);
      pen.globalAlpha = 1;
    }

    trades(pen, x, y, wide, first, last) {
      const detailed = wide >= 2;
      for (const trade of this.run.trades) {
        if (trade.exit_row < first || trade.entry_row > last) continue;
        const tone = colour(trade.profit > 0 ? "win" : "loss");
        const begin = [x(trade.entry_row), y(trade.entry_price)], end = [x(trade.exit_row), y(trade.exit_price)];
        if (trade === this.chosen) this.levels(pen, trade, begin[0], end[0], y);
        pen.strokeStyle = pen.fillStyle = tone;
        pen.lineWidth = trade === this.chosen ? 2.5 : detailed ? 1.75 : 1.25;
        pen.beginPath(); pen.moveTo(...begin); pen.lineTo(...end); pen.stroke();
        if (!detailed) continue;
        const size = clamp(wide * 0.9, 5, 8), up = trade.side > 0 ? 1 : -1;
        pen.lineWidth = 1.5;
        pen.beginPath();
        pen.moveTo(begin[0], begin[1]);
        pen.lineTo(begin[0] - size, begin[1] + up * size * 1.7);
        pen.lineTo(begin[0] + size, begin[1] + up * size * 1.7);
        pen.closePath();
        pen.fill();
        pen.strokeStyle = colour("card"); pen.stroke();
        pen.beginPath(); pen.arc(end[0], end[1], size * 0.62, 0, 7); pen.fillStyle = colour("card"); pen.fill();
        pen.strokeStyle = tone; pen.lineWidth = 2; pen.stroke();
      }
    }

    levels(pen, trade, from, to, y) {
      pen.setLineDash([4, 3]);
      pen.lineWidth = 1.25;
      for (const [price, tone] of [[trade.stop, "loss"], [trade.target, "win"]]) {
        if (price === null) continue;
        pen.strokeStyle = colour(tone);
        pen.beginPath(); pen.moveTo(from, y(price)); pen.lineTo(Math.max(to, from + 8), y(price)); pen.stroke();
      }
      pen.setLineDash([]);
    }

    drawAccount() {
      const { pen, width, height } = surface(this.account), run = this.run;
      const axis = width < 500 ? 54 : 62, wide = (width - axis) / this.rows;
      const x = (i) => (i + 0.5) * wide;
      const upper = { left: 0, top: 18, width: width - axis, height: (height - 54) * 0.66 };
      const lower = { left: 0, top: upper.top + upper.height + 18, width: width - axis, height: (height - 54) * 0.34 };
      this.whole = { x, wide, width: width - axis };
      pen.fillStyle = colour("window");
      if (this.to - this.from < this.rows) pen.fillRect(this.from * wide, 2, Math.max(3, (this.to - this.from) * wide), height - 20);
      timeAxis(pen, timeTicks(run.market.time, 0, this.rows - 1, (width - axis) / 56), x, { ...lower, top: 2 }, height);
      const stride = Math.max(1, Math.floor(0.7 / wide));
      let least = run.cash, most = run.cash, deepest = 0;
      for (let i = 0; i < this.rows; i += 1) {
        least = Math.min(least, run.equity[i]); most = Math.max(most, run.equity[i]); deepest = Math.min(deepest, this.falls[i]);
      }
      const [low, high] = range(least, most, 0.06);
      const y = grid(pen, upper, low, high, (value) => minus(Math.round(value).toLocaleString("en-US")), upper.height / 26);
      const points = [];
      for (let i = 0; i < this.rows; i += stride) points.push([x(i), y(run.equity[i])]);
      points.push([x(this.rows - 1), y(run.equity[this.rows - 1])]);
      pen.strokeStyle = colour("soft"); pen.lineWidth = 1; pen.setLineDash([2, 3]);
      line(pen, [[0, y(run.cash)], [upper.width, y(run.cash)]]);
      pen.setLineDash([]);
      pen.strokeStyle = colour("accent"); pen.lineWidth = 1.6;
      line(pen, points);
      const bottom = Math.min(deepest * 1.12, -0.001);
      const fall = grid(pen, lower, bottom, 0, (value) => percent(value, bottom > -0.03 ? 1 : 0), lower.height / 18);
      pen.fillStyle = colour("loss"); pen.globalAlpha = 0.32;
      pen.beginPath(); pen.moveTo(0, lower.top);
      for (let i = 0; i < this.rows; i += stride) {
        let worst = 0;
        for (let k = i; k < Math.min(i + stride, this.rows); k += 1) worst = Math.min(worst, this.falls[k]);
        pen.lineTo(x(i), fall(worst));
      }
      pen.lineTo(x(this.rows - 1), lower.top); pen.closePath(); pen.fill();
      pen.globalAlpha = 1;
      pen.fillStyle = colour("soft"); pen.textAlign = "left"; pen.textBaseline = "alphabetic";
      pen.fillText(`Equity, ${run.account}`, 2, upper.top - 5);
      pen.fillText("Drawdown", 2, lower.top - 5);
      this.crosshair(pen, x, { top: 2, height: height - 20 });
    }

    crosshair(pen, x, pane) {
      if (this.hovered === null) return;
      const middle = Math.round(x(this.hovered)) + 0.5;
      pen.strokeStyle = colour("soft"); pen.lineWidth = 1; pen.setLineDash([3, 3]);
      pen.beginPath(); pen.moveTo(middle, pane.top); pen.lineTo(middle, pane.top + pane.height); pen.stroke();
      pen.setLineDash([]);
    }

    tell(row) {
      this.hovered = row;
      this.describe(row);
      this.ask();
    }

    describe(row) {
      const { market, features, equity } = this.run, price = (value) => value.toFixed(market.digits);
      const parts = [element("span"), ...["open", "high", "low", "close"].map((name) => element("span", `${name} ${price(market[name][row])}`))];
      parts[0].append(element("b", moment(market.time[row])));
      for (const group of features) {
        const known = group.shown ? group.lines.map(({ values }) => values[row]).filter(Number.isFinite) : [];
        if (known.length) parts.push(element("span", `${group.name} ${known.map(price).join(" / ")}`));
      }
      parts.push(element("span", `equity ${money(equity[row])}`), element("span", `drawdown ${percent(this.falls[row])}`));
      const trade = this.run.trades.find((t) => t.entry_row <= row && row <= t.exit_row);
      if (trade) {
        const words = element("span", `${trade.label}: ${money(trade.profit)} ${this.run.account}, ${minus(trade.pips.toFixed(1))} pips`, trade.profit > 0 ? "win" : "loss");
        parts.push(words);
      }
      this.readout.replaceChildren(...parts);
    }

    buttons() {
      const legend = this.root.querySelector(".legend");
      for (const group of this.run.features) {
        const button = element("button");
        button.type = "button";
        button.style.setProperty("--swatch", `var(--${group.colour})`);
        button.setAttribute("aria-pressed", String(group.shown));
        button.append(element("i"), group.name);
        button.addEventListener("click", () => {
          group.shown = !group.shown;
          this.describe(this.hovered ?? this.rows - 1);
          button.setAttribute("aria-pressed", String(group.shown));
          this.ask();
        });
        legend.append(button);
      }
      const actions = { in: () => this.zoom(0.6), out: () => this.zoom(1 / 0.6), all: () => this.show(0, this.rows) };
      for (const button of this.root.querySelectorAll(".zoom button")) button.addEventListener("click", actions[button.dataset.zoom]);
    }

    listen() {
      const fingers = new Map(), canvas = this.candles;
      const rowAt = (event) => {
        const inside = event.clientX - canvas.getBoundingClientRect().left;
        return clamp(Math.floor(this.from + inside / this.plot.wide), 0, this.rows - 1);
      };
      canvas.addEventListener("pointerdown", (event) => { fingers.set(event.pointerId, event.clientX); canvas.setPointerCapture(event.pointerId); });
      canvas.addEventListener("pointermove", (event) => {
        const before = fingers.get(event.pointerId);
        if (before !== undefined) {
          const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
          if (others.length) {
            const apart = Math.abs(before - others[0]), now = Math.abs(event.clientX - others[0]);
            if (apart > 8 && now > 8) this.zoom(apart / now);
          } else {
            const moved = (before - event.clientX) / this.plot.wide;
            this.show(this.from + moved, this.to + moved);
          }
          fingers.set(event.pointerId, event.clientX);
        }
        this.tell(rowAt(event));
      });
      for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
      canvas.addEventListener("pointerleave", () => { this.hovered = null; this.ask(); });
      canvas.addEventListener("wheel", (event) => {
        if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(event.deltaY * 0.004), this.from + event.offsetX / this.plot.wide);
        else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.show(this.from + event.deltaX / this.plot.wide, this.to + event.deltaX / this.plot.wide);
        else return;
        event.preventDefault();
      }, { passive: false });
      canvas.addEventListener("keydown", (event) => {
        const far = (this.to - this.from) * 0.2;
        const moves = { ArrowLeft: () => this.show(this.from - far, this.to - far), ArrowRight: () => this.show(this.from + far, this.to + far), "+": () => this.zoom(0.7), "-": () => this.zoom(1 / 0.7), 0: () => this.show(0, this.rows) };
        if (!moves[event.key]) return;
        event.preventDefault();
        moves[event.key]();
      });
      canvas.addEventListener("dblclick", () => this.show(0, this.rows));
      const place = (event) => {
        const row = clamp((event.clientX - this.account.getBoundingClientRect().left) / this.whole.wide, 0, this.rows - 1);
        if (event.buttons) this.show(row - (this.to - this.from) / 2, row + (this.to - this.from) / 2);
        this.tell(Math.floor(row));
      };
      this.account.addEventListener("pointerdown", (event) => { this.account.setPointerCapture(event.pointerId); place(event); });
      this.account.addEventListener("pointermove", place);
      this.account.addEventListener("pointerleave", () => { this.hovered = null; this.ask(); });
      new ResizeObserver(() => this.ask()).observe(this.candles);
    }
  }

  // ------------------------------------------------------------ several runs on one picture
  function compare(canvas) {
    const { pen, width, height } = surface(canvas);
    if (!width) return;
    const pane = { left: 0, top: 8, width: width - (width < 500 ? 54 : 62), height: height - 30 };
    const begin = Math.min(...runs.map((run) => run.market.time[0])), end = Math.max(...runs.map((run) => run.market.time[run.market.time.length - 1]));
    const gains = runs.map((run) => run.equity.map((value) => value / run.cash - 1));
    let least = 0, most = 0;
    for (const gain of gains) for (const value of gain) { least = Math.min(least, value); most = Math.max(most, value); }
    const [low, high] = range(least, most, 0.08);
    const x = (seconds) => pane.left + (seconds - begin) / (end - begin || 1) * pane.width;
    const longest = runs.reduce((a, b) => (a.market.time.length >= b.market.time.length ? a : b)).market.time;
    timeAxis(pen, timeTicks(longest, 0, longest.length - 1, pane.width / 56), (i) => x(longest[i]), pane, height);
    const y = grid(pen, pane, low, high, (value) => percent(value, high - low < 0.05 ? 1 : 0), height / 55);
    pen.strokeStyle = colour("soft"); pen.setLineDash([2, 3]); pen.lineWidth = 1;
    line(pen, [[0, y(0)], [pane.width, y(0)]]);
    pen.setLineDash([]);
    runs.forEach((run, k) => {
      const time = run.market.time, stride = Math.max(1, Math.floor(time.length / (pane.width * 1.5))), points = [];
      for (let i = 0; i < time.length; i += stride) points.push([x(time[i]), y(gains[k][i])]);
      points.push([x(time[time.length - 1]), y(gains[k][time.length - 1])]);
      pen.strokeStyle = colour(`feature-${k % 5 + 1}`); pen.lineWidth = 1.7;
      line(pen, points);
    });
  }

  // ------------------------------------------------------------ the page
  const charts = new Map();
  const sections = [...document.querySelectorAll("section.run")];
  const tabs = [...document.querySelectorAll("nav.tabs a")];

  function open(number) {
    sections.forEach((section, k) => { section.hidden = k !== number; });
    tabs.forEach((tab, k) => tab.setAttribute("aria-current", String(k === number)));
    if (!charts.has(number)) charts.set(number, new Chart(sections[number].querySelector(".chart"), runs[number]));
    charts.get(number).ask();
  }

  const asked = () => Math.max(0, sections.findIndex((section) => `#${section.id}` === location.hash));
  tabs.forEach((tab, k) => tab.addEventListener("click", (event) => {
    event.preventDefault();
    history.replaceState(null, "", tab.getAttribute("href"));
    open(k);
  }));
  sections.forEach((section, k) => {
    const choose = (event) => {
      const row = event.target.closest("tr[data-trade]");
      if (!row || (event.type === "keydown" && event.key !== "Enter")) return;
      charts.get(k).choose(Number(row.dataset.trade));
      section.querySelector(".chart").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
    };
    section.addEventListener("click", choose);
    section.addEventListener("keydown", choose);
  });
  const comparison = document.querySelector("canvas.compare");
  if (comparison) new ResizeObserver(() => compare(comparison)).observe(comparison);
  const redraw = () => { charts.forEach((chart) => chart.ask()); if (comparison) compare(comparison); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("hashchange", () => open(asked()));
  open(asked());
})();
