// Shared by every chart: colours of the theme, numbers, tooltips, axes, and where labels find room.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--pf-" + name).trim();
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const DASHES = { async: "solid", thread: [7, 4], process: [2, 3], g0: [10, 3, 2, 3], g1: [4, 4], g2: [12, 4], g3: [1, 4] };
const SYMBOLS = { async: "circle", thread: "rect", process: "triangle", g0: "diamond", g1: "circle", g2: "rect", g3: "triangle" };

// Three significant digits, thousands apart: as the tables write numbers.
const number = (value) => {
  if (value === 0) return "0";
  let decimals = 0;
  for (let scaled = Math.abs(value); scaled < 99.95 && decimals < 9; scaled *= 10) decimals += 1;
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
};
const plain = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 9 });

// A tooltip is built of nodes: what came from a bucket stays text.
const node = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
const tip = (title, rows) => {
  const box = node("div", undefined, "pf-tip");
  box.append(node("b", title));
  for (const [label, value, style] of rows) {
    const row = node("div");
    if (style) {
      const dot = node("i");
      dot.style.background = colour(style);
      row.append(dot);
    }
    row.append(node("span", label), node("strong", value));
    box.append(row);
  }
  return box;
};

const tooltip = (trigger) => ({
  trigger, confine: true, transitionDuration: 0, className: "pf-tooltip",
  backgroundColor: colour("panel"), borderColor: colour("axis"), borderWidth: 1, padding: [6, 10],
  textStyle: { color: colour("ink"), fontFamily: FONT, fontSize: 13 },
  axisPointer: { type: "line", lineStyle: { color: colour("axis"), type: "solid" } },
});

const axis = (more) => ({
  axisLine: { show: true, lineStyle: { color: colour("axis") } },
  axisTick: { show: false },
  axisLabel: { color: colour("ink3"), fontSize: 12, lineHeight: 16, fontFamily: FONT, hideOverlap: true, ...more.axisLabel },
  splitLine: { show: false },
  nameLocation: "middle",
  nameTextStyle: { color: colour("ink2"), fontSize: 12, fontFamily: FONT },
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== "axisLabel")),
});

// A step of 1, 2, 2.5 or 5 times a power of ten, so that about `parts` of them cover `top`.
const niceStep = (top, parts) => {
  const rough = top / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9));
};

// From 0 to the first step above the highest value.
const rateAxis = (highest) => {
  const top = highest > 0 ? highest : 1;
  const step = niceStep(top, 4);
  return axis({
    type: "value", min: 0, max: step * Math.ceil(top / step - 1e-9), interval: step,
    axisLine: { show: false }, splitLine: { show: true, lineStyle: { color: colour("grid") } },
    axisLabel: { formatter: (value) => plain(Number(value.toPrecision(6))) },
  });
};

// Dollars from 0, or from near the lowest price where all of them are alike.
const priceAxis = ([low, high], parts, name) => {
  const from = low > high * 0.6 ? low - (high - low || high) * 0.3 : 0;
  const step = niceStep(high - from || 1, parts);
  const min = Math.max(0, step * Math.floor(from / step + 1e-9));
  const max = step * Math.ceil(high / step + 0.1);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (/[25]$/.test(step.toPrecision(2)) && step.toPrecision(2).replace(/\D|0/g, "").length > 1 ? 1 : 0));
  return axis({
    type: "value", min, max, interval: step, name, nameGap: 28,
    axisLabel: { formatter: (value) => "$" + value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }) },
  });
};

// Labels of a logarithmic scale: of each power of ten as many as have room. The axis itself counts in powers of ten.
const logTicks = (low, high, most) => {
  for (const factors of [[1, 1.5, 2, 3, 4, 5, 7], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
      for (const factor of factors) {
        const at = power + Math.log10(factor);
        if (at >= low - 1e-9 && at <= high + 1e-9) ticks.push(at);
      }
    }
    if (ticks.length <= most || factors.length === 1) return ticks;
  }
  return [];
};
const logAxis = ([low, high], most, name, write) => {
  const ticks = logTicks(low, high, most);
  return axis({
    type: "value", min: low, max: high, name, nameGap: 28,
    axisTick: { show: true, length: 4, lineStyle: { color: colour("axis") }, customValues: ticks },
    axisLabel: { customValues: ticks, formatter: (value) => write(Number((10 ** value).toPrecision(3))), showMinLabel: true, showMaxLabel: true },
  });
};

// Widths as the browser will draw them.
const pen = document.createElement("canvas").getContext("2d");
const widthOf = (text) => {
  pen.font = "12px " + FONT;
  return Math.ceil(pen.measureText(text).width) + 2;
};

// Places labels one by one beside one of their points: the first text that fits at the first free of its sides, else none. `taken` are boxes to keep clear of.
const placeLabels = (wanted, bounds, taken) => {
  const boxes = [...taken];
  const free = (box) =>
    box.x >= bounds.x && box.y >= bounds.y && box.x + box.w <= bounds.x + bounds.w && box.y + box.h <= bounds.y + bounds.h &&
    boxes.every((other) => box.x >= other.x + other.w || other.x >= box.x + box.w || box.y >= other.y + other.h || other.y >= box.y + box.h);
  return wanted.map(({ at, texts }) => {
    for (const [text, sides, [x, y]] of texts.flatMap(([text, sides]) => at.map((place) => [text, sides, place]))) {
      const w = widthOf(text);
      const h = 15;
      const sideBoxes = {
        left: { x: x - w - 9, y: y - h / 2, w, h }, right: { x: x + 9, y: y - h / 2, w, h },
        top: { x: x - w / 2, y: y - h - 8, w, h }, bottom: { x: x - w / 2, y: y + 8, w, h },
        topLeft: { x: x - w, y: y - h - 6, w, h }, bottomLeft: { x: x - w, y: y + 7, w, h }, bottomRight: { x: x + 6, y: y + 7, w, h },
      };
      const side = sides.find((name) => free(sideBoxes[name]));
      if (side) {
        boxes.push(sideBoxes[side]);
        return { text, ...sideBoxes[side] };
      }
    }
    return null;
  });
};
// Small boxes along a line, so that labels keep off it.
const boxesAlong = (points) => points.flatMap(([x, y], i) => {
  const [fromX, fromY] = points[i - 1] ?? [x, y];
  const count = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / 5));
  return Array.from({ length: count }, (_, k) => {
    const share = (k + 1) / count;
    return { x: fromX + (x - fromX) * share - 2, y: fromY + (y - fromY) * share - 2, w: 4, h: 4 };
  });
});
const drawLabels = (labels, ink) => ({
  type: "group", silent: true,
  children: labels.filter(Boolean).map((label) => ({
    type: "text", silent: true, z2: 10,
    style: { text: label.text, x: label.x + 1, y: label.y + label.h / 2, verticalAlign: "middle", fill: ink, font: "12px " + FONT },
  })),
});
