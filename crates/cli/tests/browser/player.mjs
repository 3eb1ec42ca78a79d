// Serves a page of docs/operate/players.md with its media, and opens it with one token after the other. Prints for each what was
// shown, what the page said, and what the player sent to the key server. Standard input is the socket to serve on. Arguments:
// the heading above the page, the folder of the media, the page's origin, the address of the key server, then each token
// and the screenshot to write.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { inBrowser } from "./browser.mjs";

const [heading, folder, origin, clearkey, ...plays] = process.argv.slice(2);
const manual = readFileSync(new URL("../../../../docs/operate/players.md", import.meta.url), "utf8");
const html = manual.split(`\n## ${heading}\n`)[1].split("\n```html\n")[1].split("```")[0];
const answers = { "/": html.replace("https://drm.example.org/v1/clearkey", clearkey) };
const types = { ".css": "text/css", ".js": "text/javascript", ".m3u8": "application/vnd.apple.mpegurl",
  ".mp4": "video/mp4", ".mpd": "application/dash+xml" };

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, origin);
  if (pathname in answers) {
    response.setHeader("content-type", "text/html").end(answers[pathname]);
  } else {
    const [, inPackages] = pathname.match(/^\/node_modules\/(.*)/) ?? [];
    send(inPackages ? join(process.env.ADMIT_NODE_MODULES, inPackages) : join(folder, pathname), request, response);
  }
});
await new Promise((resolve) => server.listen({ fd: 0 }, resolve));
try {
  const seen = await inBrowser(async (browser) => {
    const seen = [];
    for (let number = 0; number < plays.length; number += 2) {
      answers["/token"] = plays[number];
      const page = await browser.newPage({ viewport: { width: 660, height: 420 } });
      seen.push(await play(page, plays[number + 1]));
      await page.close();
    }
    return seen;
  });
  console.log(JSON.stringify(seen));
} finally {
  server.close();
}

/** A file, or a range of it. */
function send(path, request, response) {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return response.writeHead(404).end();
  const range = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/);
  const [start, end] = range ? [Number(range[1]), Math.min(Number(range[2] || size), size - 1)] : [0, size - 1];
  const about = range ? { "content-range": `bytes ${start}-${end}/${size}` } : {};
  response.writeHead(range ? 206 : 200, { "content-type": types[extname(path)], ...about });
  createReadStream(path, { start, end }).pipe(response);
}

/** Ends when the video has ended, or when the page says that it will not play. */
async function play(page, screenshot) {
  const asked = [];
  page.on("response", (response) => {
    const request = response.request();
    if (request.url() !== clearkey) return;
    const [body, contentType] = [request.postDataJSON(), request.headers()["content-type"] ?? null];
    const keyIds = body.kids.map((kid) => Buffer.from(kid, "base64url").toString("hex"));
    asked.push({ method: request.method(), contentType, body, keyIds, status: response.status() });
  });
  // Only the browser's own protocol tells of preflights.
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const preflights = new Set();
  network.on("Network.requestWillBeSentExtraInfo", ({ headers }) => {
    const named = headers["Access-Control-Request-Headers"];
    if (named) preflights.add(named);
  });
  await page.goto(origin);
  const over = await page.waitForFunction(() => {
    const video = document.querySelector("video");
    const said = document.querySelector("[role=status]").textContent;
    const frames = video.getVideoPlaybackQuality().totalVideoFrames;
    return (video.ended || said) && { ended: video.ended, said, frames };
  }, undefined, { timeout: 120_000 });
  await page.screenshot({ path: screenshot });
  return { ...await over.jsonValue(), asked, preflights: [...preflights] };
}
