// Chromium without a window, driven by playwright-core. Both programs are there before a test runs:
// `ADMIT_NODE_MODULES` is the folder with the packages, `ADMIT_CHROMIUM` the browser where it is not Debian's.
import { createRequire } from "node:module";
import { join } from "node:path";

export const packages = createRequire(join(process.env.ADMIT_NODE_MODULES, "none.js"));

/** Runs `work` in a new page of a new browser; its settings are playwright's. */
export function inPage(settings, work) {
  return inBrowser(async (browser) => work(await browser.newPage(settings)));
}

/** Runs `work` with a new browser. */
export async function inBrowser(work) {
  const { chromium } = packages("playwright-core");
  const executablePath = process.env.ADMIT_CHROMIUM ?? "/usr/bin/chromium";
  // As root, Chromium starts only without its sandbox.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args, timeout: 60_000 });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}
