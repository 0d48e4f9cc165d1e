// One page in one guise: what a browser complains about, and what the checks find.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import * as all from "./checks.mjs";

const axe = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "node_modules/axe-core/axe.min.js"), "utf8");

const onPath = (name) => {
  try {
    return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
  } catch {
    return null;
  }
};

// The browser, or the end of the program with what to do.
export const open = () => {
  const executablePath = process.env.CHROMIUM || ["chromium", "chromium-browser", "google-chrome"].map(onPath).find(Boolean);
  if (!executablePath) {
    console.error("error: no Chromium\nhint: install it, or name it in CHROMIUM");
    process.exit(2);
  }
  // The sandbox needs rights that containers do not give; the page is our own.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
};

const WITHOUT_SCRIPT = ["first", "text", "layout", "matrix", "tables", "csv"];
// Once a page, where no script draws anything anew at each width.
const ONCE = ["widths"];
const EVERY = [...WITHOUT_SCRIPT, "charts", "labels", "tooltips", "themes", "accessible", "pictures", "paper"];
// Looked at before anything is opened.
const FOLDED = ["first"];

// Opens every fold, and waits until what is in it is drawn.
const unfold = async (page, script) => {
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  // A page without scripts has no frames to wait for, and nothing to draw.
  if (script) await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn)))));
};

// Findings, one line each. `shots` is a folder for a picture, or null; `checks` names some of them, else all that go with or without JavaScript.
export const visit = async (browser, file, { colorScheme, width, script, shots, checks }) => {
  const found = [];
  // Pages of the fixture hold a name that tries to be markup; a page of one's own does not.
  const hostile = /^(sample|one|small|alike|planted)\./.test(basename(file));
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: script, hasTouch: width < 600 });
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  page.on("console", (message) => found.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => found.push(`page error: ${error.message}`));
  page.on("dialog", (dialog) => { found.push(`a dialog opened: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (request.url() !== url && !request.url().startsWith("data:") && !request.url().startsWith("blob:")) found.push(`request: ${request.url()}`); });
  await page.goto(url);
  const wanted = checks ?? (script ? EVERY : colorScheme === "light" && width < 600 ? [...WITHOUT_SCRIPT, ...ONCE] : WITHOUT_SCRIPT);
  for (const name of wanted.filter((name) => FOLDED.includes(name))) found.push(...(await all[name](page, { width })));
  await unfold(page, script);
  for (const name of wanted.filter((name) => !FOLDED.includes(name))) found.push(...(await all[name](page, { width, axe, hostile })));
  if (shots) {
    // Without the tooltips that are still open.
    await page.reload();
    const name = `${basename(file, ".html")}-${colorScheme}-${width}${script ? "" : "-nojs"}`;
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    if (script && width > 1000) await page.pdf({ path: join(shots, `${name}.pdf`), format: "A4", margin: { top: "12mm", bottom: "12mm", left: "12mm", right: "12mm" } });
    await unfold(page, script);
    await page.screenshot({ path: join(shots, `${name}-open.png`), fullPage: true });
  }
  await context.close();
  return found;
};
