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

const WITHOUT_SCRIPT = ["text", "layout", "matrix"];
const EVERY = [...WITHOUT_SCRIPT, "charts", "labels", "tooltips", "themes", "accessible"];

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
  page.on("request", (request) => { if (request.url() !== url && request.url() !== "data:,") found.push(`request: ${request.url()}`); });
  await page.goto(url);
  for (const name of checks ?? (script ? EVERY : WITHOUT_SCRIPT)) found.push(...(await all[name](page, { width, axe, hostile })));
  if (shots) {
    // Without the tooltips that are still open.
    await page.reload();
    const name = `${basename(file, ".html")}-${colorScheme}-${width}${script ? "" : "-nojs"}.png`;
    await page.screenshot({ path: join(shots, name), fullPage: true });
  }
  await context.close();
  return found;
};
