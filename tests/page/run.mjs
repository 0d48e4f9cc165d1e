// Opens report pages in Chromium, light and dark, 1280 and 390 px wide, with and without JavaScript, and looks at them. Exit code 1 when a check fails.
import { existsSync, mkdirSync } from "node:fs";
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

const browser = await open();
let failed = 0;
for (const file of pages) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      for (const script of [true, false]) {
        const found = await visit(browser, file, { colorScheme, width, script, shots });
        failed += found.length;
        console.log(`${found.length ? "FAIL" : "ok  "} ${basename(file)}, ${colorScheme}, ${width} px${script ? "" : ", without JavaScript"}`);
        for (const line of found.slice(0, 12)) console.log(`       ${line}`);
        if (found.length > 12) console.log(`       and ${found.length - 12} more`);
      }
    }
  }
}
await browser.close();
console.log(failed ? `${failed} findings` : "all good");
process.exit(failed ? 1 : 0);
