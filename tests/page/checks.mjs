// What is looked at on a page. Each check returns its findings as lines; an empty list is a pass.
import { readFileSync } from "node:fs";

// Names out of a bucket are text: no element or attribute came out of one, no script of one ran.
export const text = (page, { hostile }) => page.evaluate((hostile) => {
  const found = [];
  if (document.querySelectorAll("img, iframe, object, embed, form").length) found.push("an element that the page does not have");
  for (const element of document.querySelectorAll("*")) {
    for (const { name } of element.attributes) if (name.startsWith("on")) found.push(`<${element.localName}> has ${name}`);
  }
  const scripts = document.querySelectorAll("script").length;
  if (scripts !== 4) found.push(`${scripts} scripts instead of 4`);
  if (hostile && !document.body.textContent.includes("<script>alert(1)</script>")) found.push("the hostile name is not shown");
  return found;
}, hostile);

// As it arrives: everything folded up; the answer, its confidence, what to paste and the picture are on the first screen, and the details begin within 3,000 px.
export const first = (page, { width }) => page.evaluate((width) => {
  const found = [];
  const details = document.getElementById("details");
  const open = document.querySelectorAll("details[open]").length;
  if (!details) found.push("no details");
  if (open) found.push(`${open} folds are open`);
  // Spaces that do not break are spaces.
  const plain = (text) => text.replaceAll("\u00a0", " ");
  if (!document.title || plain(document.title) !== plain(document.querySelector("h1").textContent)) found.push(`the title is not the answer: ${document.title}`);
  if (width < 1280) return found;
  const top = details ? Math.round(details.getBoundingClientRect().top + scrollY) : 0;
  if (top > 3000) found.push(`${top} px before the details`);
  for (const one of ["h1", ".pf-takes", ".pf-sure", ".pf-snippet", "#why .pf-chart"]) {
    const element = document.querySelector(one);
    const bottom = element?.checkVisibility() ? Math.round(element.getBoundingClientRect().bottom + scrollY) : 0;
    if (bottom > innerHeight) found.push(`${one} ends at ${bottom} px, below the first screen`);
  }
  return found;
}, width);

// The head of the large table stays while its rows scroll, and a row is a line.
export const tables = (page) => page.evaluate(() => {
  const found = [];
  for (const table of document.querySelectorAll(".pf-data")) {
    const box = table.closest(".pf-scroll");
    box.scrollTop = box.scrollHeight;
    const head = table.querySelector("th").getBoundingClientRect();
    if (Math.abs(head.top - box.getBoundingClientRect().top) > 2) found.push("the head of a table does not stay");
    box.scrollTop = 0;
  }
  for (const table of document.querySelectorAll(".pf-every")) {
    const high = Math.max(...[...table.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect().height));
    if (high > 34) found.push(`a row of the table is ${Math.round(high)} px high`);
  }
  return found;
});

// What a click downloads, as bytes; null when nothing comes.
const downloaded = async (page, click) => {
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 15000 }).catch(() => null), click()]);
  return download && { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};

// The figures, with and without JavaScript.
export const csv = async (page) => {
  const link = await page.$(".pf-download a[download]");
  if (!link) return (await page.$(".pf-download")) ? ["no link to download"] : [];
  const file = await downloaded(page, () => link.click());
  if (!file) return ["the figures cannot be downloaded"];
  return file.name.endsWith(".csv") && /^[a-z0-9_,]+\r\n/.test(file.bytes.toString()) ? [] : [`${file.name} is no CSV: ${file.bytes.toString().slice(0, 40)}`];
};

// Every chart is a picture to keep, twice as large as on the screen; the first of each kind is downloaded.
export const pictures = async (page) => {
  const found = [];
  const kinds = new Set();
  for (const place of await page.$$("[data-pf-chart]")) {
    const kind = await place.evaluate((element) => JSON.parse(document.getElementById("pf-charts").textContent)[element.dataset.pfChart].kind);
    const button = await place.evaluateHandle((element) => element.closest("figure")?.querySelector("figcaption button"));
    if (!button.asElement()) { found.push("a chart without a picture to keep"); continue; }
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    const file = await downloaded(page, () => button.asElement().click());
    const width = await place.evaluate((element) => element.clientWidth);
    if (!file) found.push(`no picture of ${kind}`);
    else if (file.bytes.toString("latin1", 1, 4) !== "PNG" || file.bytes.readUInt32BE(16) < 2 * width) found.push(`${file.name} is no picture of ${2 * width} px`);
  }
  return found;
};

// No sideways scroll, nothing outside the window but inside a box that scrolls by itself, no text under 12 px, no text cut off.
export const layout = (page) => page.evaluate(() => {
  const found = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`scrolls sideways: ${document.documentElement.scrollWidth} of ${width} px`);
  const shown = (element) => element.checkVisibility() && !element.closest(".pf-hidden, noscript, .pf-scroll table, details:not([open]) > :not(summary)");
  for (const element of document.querySelectorAll("body *")) {
    if (!shown(element) || element.closest("svg, script")) continue;
    const box = element.getBoundingClientRect();
    const name = `${element.localName}.${element.className}`;
    if (box.width && (box.left < -0.5 || box.right > width + 0.5)) found.push(`${name} reaches out of the window`);
    const own = [...element.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim());
    if (own && parseFloat(getComputedStyle(element).fontSize) < 12) found.push(`${name} is under 12 px: ${element.textContent.slice(0, 30)}`);
    if (own && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline") found.push(`${name} is cut off: ${element.textContent.slice(0, 30)}`);
  }
  for (const cell of document.querySelectorAll(".pf-matrix td, .pf-matrix th")) {
    if (cell.scrollWidth > cell.clientWidth + 1) found.push(`matrix cell is cut off: ${cell.textContent}`);
  }
  // What is hidden in a table that scrolls would make the page wide.
  for (const hidden of document.querySelectorAll(".pf-scroll .pf-hidden")) {
    if (!hidden.offsetParent?.closest(".pf-scroll")) { found.push("hidden words do not scroll with their table"); break; }
  }
  return found;
});

// No sideways scroll at any width from a small phone to a desk.
export const widths = async (page) => {
  const found = [];
  const before = page.viewportSize();
  for (let width = 320; width <= 1500; width += 20) {
    await page.setViewportSize({ ...before, width });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) found.push(`scrolls sideways at ${width} px: ${wide} px`);
  }
  await page.setViewportSize(before);
  return found;
};

// Every size, mode and concurrency has its cell; every size has at most one best; a shade only where there is a number.
export const matrix = (page) => page.evaluate(() => {
  const found = [];
  for (const table of document.querySelectorAll(".pf-matrix")) {
    const columns = table.querySelectorAll("thead th.pf-number").length;
    for (const row of table.querySelectorAll("tbody tr")) {
      const cells = row.querySelectorAll("td.pf-cell").length;
      if (cells !== columns) found.push(`a matrix row has ${cells} cells instead of ${columns}`);
    }
    for (const size of table.querySelectorAll("tbody")) {
      if (size.querySelectorAll(".pf-best").length > 1) found.push("a size has two best cells");
    }
    for (const cell of table.querySelectorAll("td.pf-cell")) {
      if (!cell.textContent.trim()) found.push("an empty matrix cell");
      const shade = [...cell.classList].find((name) => /^pf-h\d$/.test(name));
      if (shade && !/\d/.test(cell.textContent)) found.push("a shade without a number");
      if (shade && ["rgba(0, 0, 0, 0)", getComputedStyle(document.body).backgroundColor].includes(getComputedStyle(cell).backgroundColor)) found.push(`${shade} has no colour`);
    }
  }
  const rows = document.querySelectorAll(".pf-every tbody tr").length;
  if (document.querySelector(".pf-matrix") && !rows) found.push("no table of configurations");
  return found;
});

// Every record is drawn, in a box of its own, with marks in it that stay inside.
export const charts = (page) => page.evaluate(() => {
  const found = [];
  const specs = JSON.parse(document.getElementById("pf-charts").textContent);
  const places = [...document.querySelectorAll("[data-pf-chart]")];
  if (places.length !== specs.length) found.push(`${places.length} places for ${specs.length} charts`);
  for (const place of places) {
    const spec = specs[Number(place.dataset.pfChart)];
    const name = `chart ${place.dataset.pfChart} (${spec.kind})`;
    const svg = place.querySelector("svg");
    if (!svg) { found.push(`${name} is not drawn`); continue; }
    if (!place.getAttribute("aria-label")) found.push(`${name} has no words`);
    const enough = { lines: () => spec.x.length > 1, price: () => spec.points.length > 1, histogram: () => spec.bins.length > 0,
      series: () => Math.max(...spec.lines.map((line) => line.values.length)) >= 5, timeline: () => spec.fetches.length > 1 }[spec.kind]();
    if (!enough) found.push(`${name} shows too little`);
    const box = place.getBoundingClientRect();
    if (box.height < 100 || box.width < 200) found.push(`${name} is ${box.width} × ${box.height} px`);
    const marks = [...svg.querySelectorAll("path")].filter((path) => path.getBoundingClientRect().width + path.getBoundingClientRect().height > 0);
    const least = { lines: () => spec.lines.flatMap((line) => line.points.filter(Boolean)).length, price: () => spec.points.length,
      histogram: () => spec.bins.length, series: () => spec.lines.length, timeline: () => spec.fetches.length }[spec.kind]();
    if (marks.length < least) found.push(`${name} has ${marks.length} marks of at least ${least}`);
    for (const mark of marks) {
      const { left, right, top, bottom } = mark.getBoundingClientRect();
      // Clipped groups report what they would reach without their clip.
      if (mark.closest("[clip-path]")) continue;
      if (left < box.left - 1 || right > box.right + 1 || top < box.top - 1 || bottom > box.bottom + 1) { found.push(`${name} draws outside its box`); break; }
    }
  }
  return found;
});

// Text in charts: 12 px, inside the chart, not on other text. Two runs of one label are the same text.
export const labels = (page) => page.evaluate(() => {
  const found = [];
  for (const place of document.querySelectorAll("[data-pf-chart]")) {
    const name = `chart ${place.dataset.pfChart}`;
    const box = place.getBoundingClientRect();
    const texts = [...place.querySelectorAll("svg text")].map((element) => ({ words: element.textContent, size: parseFloat(getComputedStyle(element).fontSize), ...element.getBoundingClientRect().toJSON() }));
    if (texts.length < 3) found.push(`${name} has ${texts.length} labels`);
    texts.forEach((one, i) => {
      if (one.size < 12) found.push(`${name}: ${one.words} is ${one.size} px`);
      if (/NaN|undefined|null|Infinity/.test(one.words)) found.push(`${name} says ${one.words}`);
      if (one.left < box.left - 1 || one.right > box.right + 1 || one.top < box.top - 1 || one.bottom > box.bottom + 1) found.push(`${name}: ${one.words} is cut off`);
      for (const other of texts.slice(i + 1)) {
        // Glyphs fill less than their line: two pixels up and down are air.
        if (one.left < other.right - 0.5 && other.left < one.right - 0.5 && one.top + 2 < other.bottom - 2 && other.top + 2 < one.bottom - 2) found.push(`${name}: ${one.words} lies on ${other.words}`);
      }
    });
  }
  return found;
});

// What the tooltip of a chart says, and how far it reaches; null without one. Waits until the page has drawn what the pointer brought, and `ms` more.
const tip = (place, ms) => place.evaluate(async (element, ms) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  if (ms) await new Promise((over) => setTimeout(over, ms));
  const tip = element.querySelector(".pf-tip");
  if (!tip || !tip.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return null;
  const box = tip.getBoundingClientRect();
  return { words: tip.textContent, left: box.left, right: box.right, window: document.documentElement.clientWidth };
}, ms);

// The tooltip that a pointer on a chart brings; null without one.
const touched = async (page, place, width) => {
  // The middle of a mark that a pointer can meet: ask the page, as the pointer would.
  const spots = await place.evaluate((element) => {
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const plot = (element.querySelector("svg") ?? element).getBoundingClientRect();
    const centres = [...element.querySelectorAll("svg path")].map((path) => path.getBoundingClientRect())
      .filter((box) => box.width > 1 && box.width < 90 && box.height > 2 && box.height < plot.height * 0.9)
      .map((box) => [box.x + box.width / 2, box.y + box.height * 0.5]);
    return [[plot.x + plot.width * 0.6, plot.y + plot.height * 0.5], ...centres.slice(-40), ...centres.slice(0, 10)];
  });
  // On a busy machine a tooltip may come late: only then wait for it.
  for (const ms of [0, 100]) {
    for (const [x, y] of spots) {
      if (width < 600) await page.touchscreen.tap(x, y);
      else await page.mouse.move(x, y);
      const shown = await tip(place, ms);
      if (shown) return shown;
    }
  }
  return null;
};

// A tooltip for every chart, inside the window, with text in it.
export const tooltips = async (page, { width }) => {
  const found = [];
  for (const [i, place] of (await page.$$("[data-pf-chart]")).entries()) {
    const shown = await touched(page, place, width);
    if (!shown) found.push(`chart ${i} has no tooltip`);
    else if (!/\d/.test(shown.words) || /NaN|undefined/.test(shown.words)) found.push(`chart ${i}: the tooltip says ${shown.words}`);
    else if (shown.left < 0 || shown.right > shown.window) found.push(`chart ${i}: the tooltip reaches out of the window`);
    await page.mouse.move(0, 0);
  }
  return found;
};

// On paper: light, nothing beside the sheet, no buttons, and no tooltip, though one is open where the pointer was on a chart.
export const paper = async (page, { width }) => {
  const place = await page.$("[data-pf-chart]");
  if (place) await touched(page, place, width);
  await page.emulateMedia({ media: "print" });
  // At once: a chart that is drawn anew has no tooltip any more.
  const shown = await page.evaluate(() => [...document.querySelectorAll(".pf-tip")].some((tip) => tip.checkVisibility()));
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  const found = await page.evaluate(() => {
    const found = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) found.push(`paper: ${document.documentElement.scrollWidth} of ${width} px`);
    if (getComputedStyle(document.documentElement).getPropertyValue("--pf-bg").trim() !== "#ffffff") found.push("paper is dark");
    for (const button of document.querySelectorAll("button")) if (button.checkVisibility()) { found.push("a button on paper"); break; }
    for (const svg of document.querySelectorAll("[data-pf-chart] svg")) {
      if (svg.getBoundingClientRect().right > width + 1) { found.push("a chart reaches out of the paper"); break; }
    }
    return found;
  });
  if (shown) found.push("a tooltip on paper");
  await page.mouse.move(0, 0);
  await page.emulateMedia({ media: null });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  if (width < 1280) return found;
  // A browser draws for the screen, and then prints: a chart that is larger than its place on the sheet gets small letters.
  found.push(...await page.evaluate(() => {
    dispatchEvent(new Event("beforeprint"));
    const drawn = [...document.querySelectorAll("[data-pf-chart] svg[viewBox]")].map((svg) => [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height, svg.closest(".pf-tall") ? 290 : Infinity]);
    dispatchEvent(new Event("afterprint"));
    const large = drawn.filter(([width, height, most]) => width > 718 || height > most);
    return large.length ? [`${large.length} charts have small letters on paper: ${large[0].slice(0, 2).map(Math.round).join(" × ")} px`] : [];
  }));
  return found;
};

// The button turns the page and its charts over, and back.
export const themes = async (page) => {
  const look = () => page.evaluate(() => [getComputedStyle(document.body).backgroundColor,
    [...new Set([...document.querySelectorAll("[data-pf-chart] svg text")].map((text) => text.getAttribute("fill") ?? getComputedStyle(text).fill))].sort().join()]);
  const before = await look();
  await page.click("#pf-theme");
  const turned = await look();
  await page.click("#pf-theme");
  const back = await look();
  const found = [];
  if (before[0] === turned[0]) found.push("the button does not change the page");
  if (before[1] && before[1] === turned[1]) found.push("the button does not change the charts");
  if (before.join() !== back.join()) found.push("the button does not change back");
  return found;
};

// axe-core: nothing at all.
export const accessible = async (page, { axe }) => {
  // Not a <script> of the page: its policy holds for those, and the count of them is checked.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations
    .map(({ id, help, nodes }) => `axe ${id}: ${help} (${nodes.length}×, ${nodes[0].target})`));
  return violations;
};
