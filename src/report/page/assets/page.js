// Puts the charts into their places, redraws them for another theme or width, and adds what only a script can: the theme button, copying.

const specs = JSON.parse(document.getElementById("pf-charts").textContent);
const DRAW = { lines: drawLines, price: drawPrice, histogram: drawHistogram, series: drawSeries, timeline: drawTimeline };
const drawn = [];

const draw = (entry) => {
  entry.width = entry.place.clientWidth;
  entry.chart.resize();
  entry.chart.setOption(DRAW[entry.spec.kind](entry.spec, entry.width), true);
};

const legendLine = (place) => {
  const style = place.dataset.pfLine;
  const ns = "http://www.w3.org/2000/svg";
  const make = (name, attributes) => {
    const made = document.createElementNS(ns, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const svg = make("svg", { width: 34, height: 12, "aria-hidden": "true" });
  const dash = DASHES[style];
  svg.append(make("line", { x1: 0, y1: 6, x2: 34, y2: 6, stroke: colour(style), "stroke-width": 2, "stroke-dasharray": dash === "solid" ? "none" : dash.join(" ") }));
  const shapes = { circle: "M13 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", rect: "M13 2h8v8h-8z", triangle: "M17 1l5 9h-10z", diamond: "M17 1l5 5l-5 5l-5 -5z" };
  svg.append(make("path", { d: shapes[SYMBOLS[style]], fill: colour(style), stroke: colour("bg") }));
  place.replaceChildren(svg);
};

const redraw = () => {
  drawn.forEach(draw);
  document.querySelectorAll("[data-pf-line]").forEach(legendLine);
};

for (const place of document.querySelectorAll("[data-pf-chart]")) {
  const spec = specs[Number(place.dataset.pfChart)];
  if (spec.kind === "timeline") place.style.height = `${Math.min(640, Math.max(110, 50 + timelineRows(spec) * 13))}px`;
  drawn.push({ place, spec, chart: globalThis.parfetchCharts.init(place, null, { renderer: "svg" }) });
}
redraw();

new ResizeObserver(() => {
  drawn.filter((entry) => entry.place.clientWidth !== entry.width && entry.place.clientWidth > 0).forEach(draw);
}).observe(document.body);

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", redraw);
document.getElementById("pf-theme").addEventListener("click", () => {
  const root = document.documentElement;
  const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  redraw();
});

for (const box of document.querySelectorAll(".pf-snippet")) {
  const text = box.querySelector("code");
  const button = node("button", "Copy", "pf-copy");
  button.type = "button";
  button.setAttribute("aria-label", "Copy " + box.querySelector(".pf-label").textContent);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      // Not allowed here: the text is selected, so that the keyboard can copy it.
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  box.append(button);
}
