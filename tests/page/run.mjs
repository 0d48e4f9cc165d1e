// Opens report pages in Chromium, light and dark, 1280 and 390 px wide, with and without JavaScript, and looks at them. Exit code 1 when a check fails.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { accessible, charts, labels, layout, matrix, text, themes, tooltips } from "./checks.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const at = args.indexOf("--shots");
const shots = at < 0 ? null : resolve(args.splice(at, 2)[1]);
const samples = ["sample", "small", "alike"].map((name) => resolve(here, `../../target/page/${name}.html`));
const pages = args.length ? args.map((page) => resolve(page)) : samples;

const onPath = (name) => {
  try {
    return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
};
const browserPath = process.env.CHROMIUM || ["chromium", "chromium-browser", "google-chrome"].map(onPath).find(Boolean);
if (!browserPath) {
  console.error("error: no Chromium\nhint: install it, or name it in CHROMIUM");
  process.exit(2);
}
for (const page of pages.filter((page) => !existsSync(page))) {
  console.error(`error: no page ${page}\nhint: cargo test --lib write_the_sample_pages -- --ignored`);
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });

// The sandbox needs rights that containers do not give; the page is our own.
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const axe = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");
let failed = 0;

const visit = async (file, { colorScheme, width, script }) => {
  const found = [];
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: script, hasTouch: width < 600 });
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  page.on("console", (message) => found.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => found.push(`page error: ${error.message}`));
  page.on("dialog", (dialog) => { found.push(`a dialog opened: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (request.url() !== url && request.url() !== "data:,") found.push(`request: ${request.url()}`); });
  await page.goto(url);
  const checks = script ? [text, layout, matrix, charts, labels, tooltips, themes] : [text, layout, matrix];
  for (const check of checks) found.push(...(await check(page, { script, width })));
  // axe is a script of the test: it runs in a world of its own and needs scripts.
  if (script) found.push(...(await accessible(page, axe)));
  if (shots) {
    const name = `${basename(file, ".html")}-${colorScheme}-${width}${script ? "" : "-nojs"}.png`;
    // Without the tooltips that are still open.
    await page.reload();
    await page.screenshot({ path: join(shots, name), fullPage: true });
  }
  await context.close();
  return found;
};

for (const file of pages) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      for (const script of [true, false]) {
        const found = await visit(file, { colorScheme, width, script });
        failed += found.length;
        console.log(`${found.length ? "FAIL" : "ok  "} ${basename(file)} ${colorScheme} ${width} px ${script ? "" : "without JavaScript"}`);
        for (const line of found.slice(0, 12)) console.log(`       ${line}`);
        if (found.length > 12) console.log(`       and ${found.length - 12} more`);
      }
    }
  }
}
await browser.close();
console.log(failed ? `${failed} findings` : "all good");
process.exit(failed ? 1 : 0);
