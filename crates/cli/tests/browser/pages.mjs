// Looks for barriers in a page with axe-core, in the light and the dark scheme, and prints what it found and what the browser
// complained of. Arguments: address of the page, start of the screenshots' names.
import { readFileSync } from "node:fs";
import { inPage, packages } from "./browser.mjs";

const [address, screenshots] = process.argv.slice(2);
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const seen = { findings: [], complaints: [], passed: 0, backgrounds: [] };
for (const colorScheme of ["light", "dark"]) {
  await inPage({ colorScheme, viewport: { width: 800, height: 900 } }, async (page) => {
    const complain = (text) => seen.complaints.push(text);
    page.on("console", (message) => complain(message.text()));
    page.on("pageerror", (error) => complain(error.message));
    page.on("requestfailed", (request) => complain(request.url()));
    await page.goto(address);
    seen.backgrounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    await page.screenshot({ path: `${screenshots}-${colorScheme}.png`, fullPage: true });
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run());
    seen.passed += found.passes.length;
    const all = [...found.violations, ...found.incomplete];
    seen.findings.push(...all.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map((node) => node.html)}`));
  });
}
console.log(JSON.stringify(seen));
