// Tests the tests: plants one fault after another into a sample page and fails unless the check that is meant for it turns red.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { open, visit } from "./visit.mjs";

const sample = readFileSync(resolve(dirname(fileURLToPath(import.meta.url)), "../../target/page/one.html"), "utf8");
const LAST = "const dark = matchMedia(";
// The check that is meant for it (none: what the browser itself says), what is wrong, the line that has to be found, and one replacement after another: from, to.
const FAULTS = [
  ["", "a message on the console", "console error: planted", [LAST, `console.error("planted");${LAST}`]],
  ["", "an error in the script", "page error: planted", [LAST, `throw new Error("planted");${LAST}`]],
  ["", "a request", "request: http://127.0.0.1:9/", ["default-src 'none'", "img-src *"], ["; img-src data:", ""], [LAST, `new Image().src = "http://127.0.0.1:9/x";${LAST}`]],
  ["", "a script out of a name", "a dialog opened: 1", ["&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"]],
  ["text", "an attribute out of a name", "has onclick", ["<h1>", "<h1 onclick=alert(3)>"]],
  ["text", "a name that is not shown", "the hostile name is not shown", [/&lt;script&gt;alert\(1\)/g, "gone"]],
  ["charts", "a chart that is not drawn", "is not drawn", ['const charts = [...document.querySelectorAll("[data-pf-chart]")]', 'const charts = [...document.querySelectorAll("[data-pf-chart]")].slice(1)']],
  ["charts", "a place without a record", "places for", ["</main>", '<div data-pf-chart="0"></div></main>']],
  ["charts", "a chart without words", "has no words", [/aria-label="[^"]*" ?(?=><\/div>)/, ""]],
  ["charts", "marks left out", "marks of at least", ["series: [...styles.flatMap((style) => [scatter(style, false), scatter(style, true)])", "series: [scatter(styles[0], true)"]],
  ["charts", "marks out of the box", "draws outside its box", ["const points = [];\n    points.push", "const points = [[-90, -90]];\n    points.push"]],
  ["labels", "labels on labels", "lies on", ["children: labels.filter(Boolean)", "children: labels.concat(labels.filter(Boolean).map((label) => ({ ...label, x: label.x + 4 }))).filter(Boolean)"]],
  ["labels", "labels cut off", "is cut off", ["x: label.x + 1,", "x: label.x + 2000,"]],
  ["labels", "small labels in charts", "is 9 px", ["color: colour(\"ink3\"), fontSize: 12", "color: colour(\"ink3\"), fontSize: 9"]],
  ["labels", "no number in a label", "says NaN", ["axisLabel: { formatter: (value) => plain(Number(value.toPrecision(6))) }", "axisLabel: { formatter: (value) => plain(Number(value + 'x')) }"]],
  ["matrix", "a missing matrix cell", "a matrix row has", [/<td class="pf-cell[^>]*>.*?<\/td>/s, ""]],
  ["matrix", "two best cells", "a size has two best cells", [/<td class="pf-cell (pf-h\d)"/g, '<td class="pf-cell pf-best $1"']],
  ["matrix", "an empty matrix cell", "an empty matrix cell", [/(<td class="pf-cell[^>]*>)13<\/td>/, "$1</td>"]],
  ["matrix", "a shade without colour", "has no colour", [".pf-h8 { background: var(--pf-h8);", ".pf-h8 {"]],
  ["layout", "a wide element", "scrolls sideways", ["</main>", '<div style="width:3000px">wide</div></main>']],
  ["widths", "a page that is too wide at one width", "scrolls sideways at 700 px", ["/* The rest */", "@media (min-width: 690px) and (max-width: 710px) { .pf-foot { width: 900px; } }"]],
  ["layout", "something out of the window", "reaches out of the window", ["</main>", '<p style="position:relative;left:-400px">left</p></main>']],
  ["layout", "small text", "is under 12 px", [".pf-unit { margin-top: 4px; font-size: 12px;", ".pf-unit { margin-top: 4px; font-size: 9px;"]],
  ["layout", "text cut off", "is cut off", [".pf-takes { ", ".pf-takes { width: 20px; overflow: hidden; white-space: nowrap; "]],
  ["tooltips", "no tooltips", "has no tooltip", ["trigger, confine: true", "show: false, trigger, confine: true"]],
  ["tooltips", "a tooltip without a number", "the tooltip says", ["[line.label, number(median) +", "[line.label, NaN +"]],
  ["themes", "a dead theme button", "the button does not change the page", ["root.dataset.theme = now", "root.dataset.other = now"]],
  ["themes", "charts that keep their theme", "the button does not change the charts", [/root\.dataset\.theme = now === "dark" \? "light" : "dark";\s*redraw\(\);/, 'root.dataset.theme = now === "dark" ? "light" : "dark";']],
  ["first", "a page that is too high", "px before the details", [".pf-panels { ", ".pf-panels { padding-top: 3000px; "]],
  ["first", "an answer below the first screen", "below the first screen", [".pf-words p { ", ".pf-words p { margin-bottom: 300px; "]],
  ["first", "a fold that is open", "folds are open", ["<details", "<details open"]],
  ["first", "a title that is not the answer", "the title is not the answer", [/<title>[^<]*/, "<title>Report"]],
  ["tables", "a head that scrolls away", "does not stay", [".pf-data th { position: sticky;", ".pf-data th { position: static;"]],
  ["tables", "high rows", "px high", [".pf-data td, .pf-data th { white-space: nowrap; }", ".pf-data td { height: 100px; }"]],
  ["csv", "no figures to download", "no link to download", ['<a download="parfetch-report.csv"', "<a"]],
  ["pictures", "no picture to keep", "no picture of", ["canvas.toBlob(", "(() => {})("]],
  ["charts", "a chart of one point", "shows too little", [/("kind":"price","points":\[\{[^}]*\}).*?\],"unit"/, '$1],"unit"']],
  ["paper", "buttons on paper", "a button on paper", [".pf-theme, .pf-button, .pf-anchor, .pf-download, .pf-tooltip { display: none !important; }", ".pf-tooltip { display: none !important; }"]],
  ["layout", "hidden words outside of their table", "do not scroll with their table", [".pf-scroll { position: relative;", ".pf-scroll {"]],
  ["paper", "charts made smaller for paper", "small letters on paper", ['root.classList.add("pf-paper");', ""]],
  ["paper", "a tooltip on paper", "a tooltip on paper", [".pf-download, .pf-tooltip {", ".pf-download {"]],
  ["accessible", "pale text", "axe color-contrast", ["--pf-ink2: #4f5863", "--pf-ink2: #c0c4c8"]],
];

const folder = mkdtempSync(join(tmpdir(), "page-faults-"));
const browser = await open();
let missed = 0;
for (const [check, name, expected, ...changes] of FAULTS) {
  const planted = changes.reduce((page, [from, to]) => page.replace(from, to), sample);
  const file = join(folder, "planted.html");
  writeFileSync(file, planted);
  const found = await visit(browser, file, { colorScheme: "light", width: 1280, script: true, shots: null, checks: check ? [check] : [] });
  const red = planted !== sample && found.some((line) => line.includes(expected));
  missed += red ? 0 : 1;
  console.log(`${red ? "red   " : "MISSED"} ${name}${red ? "" : `: wanted "${expected}", found ${JSON.stringify(found.slice(0, 4))}`}`);
}
await browser.close();
rmSync(folder, { recursive: true });
console.log(missed ? `${missed} faults missed` : "every planted fault was found");
process.exit(missed ? 1 : 0);
