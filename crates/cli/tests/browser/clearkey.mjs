// Plays a protected file in a page that has nothing but <video>, MediaSource and EME ClearKey, and prints how many frames
// were shown and what the key server said. Arguments: file, address of the key server, token, screenshot to write.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { inPage } from "./browser.mjs";

const [file, clearkey, token, screenshot] = process.argv.slice(2);
const page = `<!doctype html><html lang="en"><title>ClearKey</title><style>video { width: 640px }</style><video muted></video>`;

const server = createServer((request, response) => {
  const isMedia = request.url === "/media.mp4";
  response.setHeader("content-type", isMedia ? "video/mp4" : "text/html");
  response.end(isMedia ? readFileSync(file) : page);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
try {
  const seen = await inPage({ viewport: { width: 660, height: 400 } }, async (page) => {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const seen = await page.evaluate(play, { clearkey, token });
    await page.screenshot({ path: screenshot });
    return seen;
  });
  console.log(JSON.stringify(seen));
} finally {
  server.close();
}

/** Runs in the page: ends when the video has ended, or when no key was given and the video waits for one. */
async function play({ clearkey, token }) {
  const video = document.querySelector("video");
  const [avc, aac] = ["avc1.64000a", "mp4a.40.2"];
  const capability = (kind, codec) => [{ contentType: `${kind}/mp4; codecs="${codec}"` }];
  const configuration = {
    initDataTypes: ["cenc"],
    videoCapabilities: capability("video", avc),
    audioCapabilities: capability("audio", aac),
  };
  const access = await navigator.requestMediaKeySystemAccess("org.w3.clearkey", [configuration]);
  const mediaKeys = await access.createMediaKeys();
  await video.setMediaKeys(mediaKeys);

  const seen = { status: 0, refusal: null, shown: 0, frames: 0, ended: false };
  const waits = new Promise((resolve) => video.addEventListener("waitingforkey", resolve, { once: true }));
  const refused = new Promise((resolve, reject) => {
    video.addEventListener("encrypted", (event) => {
      const session = mediaKeys.createSession();
      session.addEventListener("message", async ({ message }) => {
        try {
          const headers = { authorization: `Bearer ${token}` };
          const answer = await fetch(clearkey, { method: "POST", headers, body: message });
          seen.status = answer.status;
          if (answer.ok) return await session.update(await answer.arrayBuffer());
          seen.refusal = (await answer.json()).type;
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      session.generateRequest(event.initDataType, event.initData).catch(reject);
    }, { once: true });
  });
  const ended = new Promise((resolve, reject) => {
    video.addEventListener("ended", resolve, { once: true });
    video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
  });
  const count = () => { seen.shown += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);

  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
  const buffer = source.addSourceBuffer(`video/mp4; codecs="${avc},${aac}"`);
  buffer.appendBuffer(await (await fetch("/media.mp4")).arrayBuffer());
  await new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
  source.endOfStream();
  video.play().catch(() => {});
  await Promise.race([ended.then(() => { seen.ended = true; }), Promise.all([refused, waits])]);
  seen.frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return seen;
}
