// Pastes a token into the license page, and prints what the page says then, where that is, and what is wrong with it. Arguments:
// address of the page, token.
import { readFileSync } from "node:fs";
import { inPage, packages } from "./browser.mjs";

const [address, token] = process.argv.slice(2);
const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const seen = { complaints: [] };
await inPage({}, async (page) => {
  page.on("console", (message) => seen.complaints.push(message.text()));
  page.on("requestfailed", (request) => seen.complaints.push(request.url()));
  await page.goto(address);
  await page.getByRole("textbox").fill(token);
  await Promise.all([page.waitForNavigation(), page.getByRole("button").click()]);
  seen.address = page.url();
  seen.text = await page.innerText("main");
  seen.pasted = await page.getByRole("textbox").inputValue();
  await page.evaluate(axe);
  const { violations, incomplete } = await page.evaluate(() => axe.run());
  seen.findings = [...violations, ...incomplete].map(({ id }) => id);
});
console.log(JSON.stringify(seen));
