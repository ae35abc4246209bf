// What the page asks of its server. Images come as bytes with their sizes beside them.

import { painted, unpacked } from "./dom.js";

/**
 * @typedef {{index: number, nats: number|null, low: number, high: number, base: number, dead: boolean,
 *   tells: {factor: number, share: number}|null, shares: (number|null)[], beyondChance: boolean[]}} Latent
 * @typedef {{name: string, kind: string, size: number, values: string[], colours: string[]}} Factor
 * @typedef {{name: string, value: number, parts: Object<string, number>, bounds: Object<string, number>, says: string,
 *   lowest: number|null, highest: number|null, better: string, reference: string}} Score
 * @typedef {{number: number, name: string, title: string, model: string, summary: string, seed: number, steps: number,
 *   shape: [number, number, number], images: number, samples: number, contents: number,
 *   actions: {name: string, times: number}[], latents: Latent[], factors: Factor[], scores: Score[]}} Run
 * @typedef {{image: ImageData, bytes: Uint8Array}} Picture
 * @typedef {{number: number, title: string, method: string, options: string, world: string, values: Object<string, number>}} Cell
 * @typedef {{name: string, scores: {name: string, says: string, better: string}[], runs: Cell[]}} Study
 * @typedef {{points: [number, number][], images: number[], factors: number[][], codes: number[][], explained: number[]}} Places
 */

/** @param {string} address @param {RequestInit} [options] */
async function ask(address, options) {
  const answer = await fetch(address, options);
  if (answer.ok) return answer;
  const text = await answer.text();
  let said = text;
  try {
    const detail = JSON.parse(text).detail;
    said = typeof detail === "string" ? detail : "this cannot be computed";
  } catch { /* a sentence, as it stands */ }
  throw new Error(said.trim() || `the server answers ${answer.status}`);
}

/** @param {unknown} body @returns {RequestInit} */
const posted = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** @param {Response} answer @returns {Promise<[Uint8Array, number[]]>} */
async function received(answer) {
  const shape = (answer.headers.get("X-Shape") ?? "").split(",").map(Number);
  return [new Uint8Array(await answer.arrayBuffer()), shape];
}

/** @param {Response} answer */
const images = async (answer) => painted(...await received(answer));

/** Images with their bytes, which can be sent back. @param {Uint8Array} bytes @param {number[]} shape @returns {Picture[]} */
function pictures(bytes, shape) {
  const size = bytes.length / shape[0];
  return painted(bytes, shape).map((image, n) => ({ image, bytes: bytes.subarray(n * size, (n + 1) * size) }));
}

/** @param {Uint8Array} bytes */
const packed = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** @returns {Promise<Run[]>} */
export const runs = async () => (await ask("/api/runs")).json();
/** @param {number} number @returns {Promise<Run>} */
export const run = async (number) => (await ask(`/api/runs/${number}`)).json();
/** @returns {Promise<Study[]>} */
export const studies = async () => (await ask("/api/studies")).json();
/** @param {number} run @returns {Promise<Places>} */
export const places = async (run) => (await ask(`/api/runs/${run}/map`)).json();
/** @param {number} run @param {number[][]} codes */
export const decode = async (run, codes) => images(await ask(`/api/runs/${run}/decode`, posted({ codes })));
/** @param {number} run @param {number[]} numbers */
export const look = async (run, numbers) =>
  images(await ask(`/api/runs/${run}/images?${numbers.map((n) => `image=${n}`).join("&")}`));
/** @param {number} run @param {number[]} numbers @returns {Promise<number[][]>} */
export const codes = async (run, numbers) => (await (await ask(`/api/runs/${run}/codes`, posted({ images: numbers }))).json()).codes;
/**
 * @typedef {{codes: number[][], centre: number[], directions: [number[], number[]], images: number[]|null,
 *   truth: number[][]|null}} Orbit
 * @param {number} run @param {{code: number[], action: number, times: number, image: number|null}} asked
 * @returns {Promise<Orbit>}
 */
export const orbit = async (run, asked) => (await ask(`/api/runs/${run}/orbit`, posted(asked))).json();
/**
 * @param {number} run @param {{code: number[], kept: boolean[]}} asked
 * @returns {Promise<{present: boolean[], windows: number[][]|null, image: ImageData, alone: ImageData[], masks: Uint8Array}>}
 */
export async function objects(run, asked) {
  const found = await (await ask(`/api/runs/${run}/objects`, posted(asked))).json();
  const drawn = (bytes, count) => painted(unpacked(bytes), [count, ...found.shape]);
  return { ...found, image: drawn(found.image, 1)[0], alone: drawn(found.alone, asked.kept.length), masks: unpacked(found.masks) };
}
/** @param {number} run @param {Blob} file */
export async function encode(run, file) {
  const found = await (await ask(`/api/runs/${run}/encode`, { method: "POST", body: file })).json();
  return { code: found.codes[0], image: painted(unpacked(found.pixels), found.shape)[0] };
}
/** @param {number} run @param {number} domain */
export const examples = async (run, domain) => pictures(...await received(await ask(`/api/runs/${run}/examples/${domain}`)));
/** @param {number} run @param {number} domain @param {Blob} file */
export async function style(run, domain, file) {
  const found = await (await ask(`/api/runs/${run}/style/${domain}`, { method: "POST", body: file })).json();
  return { style: found.style, picture: pictures(unpacked(found.pixels), found.shape)[0] };
}
/** @param {number} run @param {{picture: Picture, domain: number, styles: number[][]}} asked */
export const translate = async (run, { picture, domain, styles }) =>
  pictures(...await received(await ask(`/api/runs/${run}/translate`, posted({ pixels: packed(picture.bytes), domain, styles }))));
