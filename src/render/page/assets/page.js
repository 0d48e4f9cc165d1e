// Puts the charts into their places, redraws them for another theme or width, and adds what only a script can: the theme button, copying, pictures to keep.

const specs = JSON.parse(document.getElementById("pf-charts").textContent);
const DRAW = { lines: drawLines, price: drawPrice, histogram: drawHistogram, series: drawSeries, timeline: drawTimeline };
const charts = [...document.querySelectorAll("[data-pf-chart]")].map((place) => ({ place, spec: specs[Number(place.dataset.pfChart)], chart: null, width: 0 }));

const draw = (entry) => {
  entry.width = entry.place.clientWidth;
  // Folded up: it is drawn when it is opened.
  if (!entry.width) return;
  if (entry.spec.kind === "timeline") entry.place.style.height = `${Math.min(640, Math.max(110, 50 + timelineRows(entry.spec) * 13))}px`;
  entry.chart ??= globalThis.parfetchCharts.init(entry.place, null, { renderer: "svg" });
  entry.chart.resize();
  entry.chart.setOption(DRAW[entry.spec.kind](entry.spec, entry.width), true);
  // So that paper can make it narrower.
  const svg = entry.place.querySelector("svg");
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
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
  svg.append(make("path", { d: SHAPES[SYMBOLS[style]], fill: colour(style), stroke: colour("bg") }));
  place.replaceChildren(svg);
};

const redraw = () => {
  charts.forEach(draw);
  document.querySelectorAll("[data-pf-line]").forEach(legendLine);
};
redraw();

const drawChanged = () => charts.filter((entry) => entry.place.clientWidth !== entry.width && entry.place.clientWidth > 0).forEach(draw);
new ResizeObserver(drawChanged).observe(document.body);
document.addEventListener("toggle", drawChanged, true);

// What the address names is opened.
const unfold = () => {
  const wanted = document.getElementById(location.hash.slice(1));
  for (let fold = wanted?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  if (wanted) wanted.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
dark.addEventListener("change", redraw);
document.getElementById("pf-theme").addEventListener("click", () => {
  const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  redraw();
});

// Paper is light.
let before;
addEventListener("beforeprint", () => {
  before = root.dataset.theme;
  root.dataset.theme = "light";
  root.classList.add("pf-paper");
  redraw();
});
addEventListener("afterprint", () => {
  if (before) root.dataset.theme = before;
  else delete root.dataset.theme;
  root.classList.remove("pf-paper");
  redraw();
});

for (const box of document.querySelectorAll(".pf-snippet")) {
  const text = box.querySelector("code");
  const button = node("button", "Copy", "pf-button");
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

for (const { place } of charts) {
  const title = place.closest("figure").querySelector("figcaption");
  const button = node("button", "PNG", "pf-button");
  button.type = "button";
  button.setAttribute("aria-label", "Download as PNG: " + title.textContent.trim());
  button.addEventListener("click", () => keepAsPng(place));
  title.append(button);
}
