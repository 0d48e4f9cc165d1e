// Opens report pages in Chromium, light and dark, 1280, 820 and 390 px wide, with and without JavaScript, and looks at them; once also at every width between 320 and 1500 px. Exit code 1 when a check fails.
import { existsSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { open, visit } from "./visit.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const at = args.indexOf("--shots");
const shots = at < 0 ? null : resolve(args.splice(at, 2)[1]);
const samples = ["sample", "small", "alike", "study"].map((name) => resolve(here, `../../target/page/${name}.html`));
const pages = args.length ? args.map((page) => resolve(page)) : samples;
for (const page of pages.filter((page) => !existsSync(page))) {
  console.error(`error: no page ${page}\nhint: cargo test --lib write_the_sample_pages -- --ignored`);
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });

const guises = pages.flatMap((file) => ["light", "dark"].flatMap((colorScheme) => [1280, 820, 390].flatMap((width) =>
  [true, false].map((script) => ({ file, colorScheme, width, script })))));
const browser = await open();
// Several at a time: each waits for its page most of the time.
const visits = [];
let next = 0;
const worker = async () => {
  while (next < guises.length) {
    const place = next++;
    const { file, ...guise } = guises[place];
    visits[place].done(await visit(browser, file, { ...guise, shots }).catch((error) => [`the visit broke off: ${error.message}`]));
  }
};
for (const _ of guises) {
  const visit = {};
  visit.found = new Promise((done) => { visit.done = done; });
  visits.push(visit);
}
const workers = Array.from({ length: Math.max(2, availableParallelism()) }, worker);
let failed = 0;
for (const [place, { file, colorScheme, width, script }] of guises.entries()) {
  const found = await visits[place].found;
  failed += found.length;
  console.log(`${found.length ? "FAIL" : "ok  "} ${basename(file)}, ${colorScheme}, ${width} px${script ? "" : ", without JavaScript"}`);
  for (const line of found.slice(0, 12)) console.log(`       ${line}`);
  if (found.length > 12) console.log(`       and ${found.length - 12} more`);
}
await Promise.all(workers);
await browser.close();
console.log(failed ? `${failed} findings` : "all good");
process.exit(failed ? 1 : 0);
