// Writes DASH and HLS manifests for what `admit package --clearkey` made of one track each, as players.md says.
// Arguments: address of the key server, folder, name of the manifests, files in the folder.
import { openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [clearkey, folder, name, ...files] = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: node manifests.mjs KEY_SERVER FOLDER NAME FILE...");
  process.exit(2);
}
const tracks = files.map((file) => ({ file, ...track(join(folder, file)) }));
const write = (file, lines) => writeFileSync(join(folder, file), `${lines.flat().join("\n")}\n`);
write(`${name}.mpd`, dash());
write(`${name}.m3u8`, hls());
tracks.forEach((track) => write(`${track.file}.m3u8`, playlist(track)));

/** A static presentation whose segments are found by the index in each file (ISO/IEC 23009-1, on-demand profile). */
function dash() {
  const longest = Math.max(...tracks.map((track) => track.seconds));
  return [
    `<?xml version="1.0" encoding="utf-8"?>`,
    `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" xmlns:dashif="https://dashif.org/CPS"`,
    `  profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static" minBufferTime="PT2S"`,
    `  mediaPresentationDuration="PT${longest}S"><Period>`,
    ...tracks.map(adaptationSet),
    `</Period></MPD>`,
  ];
}

/** One file. The W3C's common system is not named beside ClearKey: dash.js would take it, and then fail. */
function adaptationSet({ file, kind, codec, keyId, bandwidth, indexAt, end, size }, id) {
  const uuid = keyId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const video = kind === "video" ? ` width="${size[0]}" height="${size[1]}"` : "";
  return [
    `<AdaptationSet contentType="${kind}" mimeType="${kind}/mp4" subsegmentAlignment="true" subsegmentStartsWithSAP="1">`,
    `  <ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc" cenc:default_KID="${uuid}"/>`,
    `  <ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0">`,
    `    <dashif:Laurl>${clearkey}</dashif:Laurl></ContentProtection>`,
    `  <Representation id="${id}" codecs="${codec}" bandwidth="${bandwidth}"${video}>`,
    `    <BaseURL>${file}</BaseURL>`,
    `    <SegmentBase indexRange="${indexAt}-${end - 1}"><Initialization range="0-${indexAt - 1}"/></SegmentBase>`,
    `  </Representation></AdaptationSet>`,
  ];
}

/** The multivariant playlist (RFC 8216): one picture, and the sounds that go with it. */
function hls() {
  const [video] = tracks.filter(({ kind }) => kind === "video");
  const sounds = tracks.filter((track) => track !== video);
  const sound = ({ file }) => `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="${file}",DEFAULT=YES,URI="${file}.m3u8"`;
  const bandwidth = tracks.reduce((sum, track) => sum + track.bandwidth, 0);
  const codecs = tracks.map(({ codec }) => codec).join();
  const variant = `BANDWIDTH=${bandwidth},CODECS="${codecs}",RESOLUTION=${video.size.join("x")}`;
  const group = sounds.length ? `,AUDIO="sound"` : "";
  return ["#EXTM3U", sounds.map(sound), `#EXT-X-STREAM-INF:${variant}${group}`, `${video.file}.m3u8`];
}

/**
 * One fragment a segment, but for a last one of some milliseconds: of that hls.js never says that the film is over.
 * The key's URI holds the key id, as hls.js wants it; nothing is fetched from there.
 */
function playlist({ file, keyId, indexAt, end, fragments }) {
  let at = end;
  const [before, last] = [fragments.slice(0, -1), fragments.at(-1)];
  const isTail = last.seconds < 0.5 && before.length > 0;
  const segments = isTail ? [...before.slice(0, -1), joined(before.at(-1), last)] : fragments;
  const segment = ({ bytes, seconds }) => {
    at += bytes;
    return [`#EXTINF:${seconds},`, `#EXT-X-BYTERANGE:${bytes}@${at - bytes}`, file];
  };
  const key = `data:;base64,${Buffer.from(keyId, "hex").toString("base64")}`;
  return [
    "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD",
    `#EXT-X-TARGETDURATION:${Math.round(Math.max(...segments.map(({ seconds }) => seconds)))}`,
    `#EXT-X-MAP:URI="${file}",BYTERANGE="${indexAt}@0"`,
    `#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT="org.w3.clearkey",KEYFORMATVERSIONS="1",URI="${key}"`,
    segments.map(segment), "#EXT-X-ENDLIST",
  ].flat(2);
}

/** The two boxes before the fragments that a manifest is made of. */
function read(path) {
  const file = openSync(path);
  const bytes = (at, length) => {
    const buffer = Buffer.alloc(length);
    if (readSync(file, buffer, 0, length, at) < length) throw new Error(`${path} has no index`);
    return buffer;
  };
  const found = {};
  for (let at = 0; !found.sidx; ) {
    const header = bytes(at, 8);
    const [size, type] = [header.readUInt32BE(0), header.toString("latin1", 4)];
    if (size < 8 || type === "moof") throw new Error(`${path} has no index`);
    if (type === "moov" || type === "sidx") found[type] = { at, body: bytes(at + 8, size - 8) };
    at += size;
  }
  return found;
}

/** What the manifests say of a file. */
function track(path) {
  const { moov, sidx } = read(path);
  if (boxes(moov.body).trak.length !== 1) throw new Error(`${path} has more than one track`);
  const description = inside(moov.body, "trak", "mdia", "minf", "stbl", "stsd");
  const { encv, enca } = boxes(description.subarray(8));
  if (!encv && !enca) throw new Error(`${path} is not protected`);
  const entry = encv ? picture(encv[0]) : sound(enca[0]);
  const fragments = references(sidx.body);
  const { seconds, bytes } = fragments.reduce(joined);
  const end = sidx.at + 8 + sidx.body.length;
  return { ...entry, fragments, seconds, bandwidth: Math.ceil(8 * bytes / seconds), indexAt: sidx.at, end };
}

function joined(one, other) {
  return { bytes: one.bytes + other.bytes, seconds: one.seconds + other.seconds };
}

/** What a sample entry says (ISO/IEC 14496-12, 12.1.3), and its codec's name (RFC 6381). */
function picture(entry) {
  const inner = entry.subarray(78);
  const codec = `${inside(inner, "sinf", "frma")}.${inside(inner, "avcC").toString("hex", 1, 4)}`;
  return { kind: "video", codec, keyId: keyId(inner), size: [entry.readUInt16BE(24), entry.readUInt16BE(26)] };
}

function sound(entry) {
  const inner = entry.subarray(28);
  return { kind: "audio", codec: `mp4a.40.${audioObjectType(inside(inner, "esds"))}`, keyId: keyId(inner) };
}

/** The key id in `tenc` (ISO/IEC 23001-7, 8.2). */
function keyId(inner) {
  return inside(inner, "sinf", "schi", "tenc").toString("hex", 8, 24);
}

/** The first five bits of the decoder's own description, in three descriptors (ISO/IEC 14496-1, 7.2.6). */
function audioObjectType(esds) {
  let at = 4;
  for (const fields of [3, 13, 0]) {
    do at += 1; while (esds[at] & 0x80);
    at += 1 + fields;
  }
  return esds[at] >> 3;
}

/** Size and length of each fragment (ISO/IEC 14496-12, 8.16.3; version 1). */
function references(sidx) {
  const timescale = sidx.readUInt32BE(8);
  return Array.from({ length: sidx.readUInt16BE(30) }, (_, number) => {
    const at = 32 + 12 * number;
    return { bytes: sidx.readUInt32BE(at) & 0x7fffffff, seconds: sidx.readUInt32BE(at + 4) / timescale };
  });
}

/** The bodies of the boxes in `bytes`, by type. */
function boxes(bytes) {
  const found = {};
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    (found[bytes.toString("latin1", at + 4, at + 8)] ??= []).push(bytes.subarray(at + 8, at + bytes.readUInt32BE(at)));
  }
  return found;
}

/** The body of the first box of each type in the one before. */
function inside(bytes, ...types) {
  return types.reduce((body, type) => boxes(body)[type][0], bytes);
}
