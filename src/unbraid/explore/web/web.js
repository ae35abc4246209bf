// A decoder that runs in the browser, and a slider for each of its latents.

import * as ort from "./ort.wasm.min.mjs";
import { latent, make, newest, normal, paint, painted, percent, say, tried, unpacked } from "./dom.js";

ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more of them need headers that a simple server does not send

const element = (id) => document.getElementById(id);
let about, code;

/** The decoder, begun before anything else is there. */
const session = fetch("decoder.onnx").then(async (weights) => {
  if (!weights.ok) throw new Error("decoder.onnx is missing beside this page");
  return ort.InferenceSession.create(await weights.arrayBuffer(), { executionProviders: ["wasm"] });
});
session.catch(() => {}); // whoever waits for it tells

/** The image of a code. @param {number[]} numbers */
async function decoded(numbers) {
  const given = new ort.Tensor("float32", Float32Array.from(numbers), [1, numbers.length]);
  const { images } = await (await session).run({ codes: given });
  return { image: painted(Uint8ClampedArray.from(images.data, (value) => 255 * value), images.dims)[0], values: images.data };
}

const show = newest(async () => {
  const { image } = await decoded(code);
  paint(element("image"), image);
  element("image").dataset.shown = code.join(" ");
});

/** Take a whole code over. @param {number[]} numbers */
function take(numbers) {
  code = [...numbers];
  for (const input of element("sliders").querySelectorAll("input")) {
    input.value = String(code[Number(input.dataset.latent)]);
    told(input);
  }
  show();
}

/** Say where a slider stands. @param {HTMLInputElement} input */
function told(input) {
  input.parentElement.querySelector("output").value = code[Number(input.dataset.latent)].toFixed(2);
}

function slider(one) {
  const name = latent(one.index);
  const input = make("input", { type: "range", min: one.low, max: one.high, step: "any", "aria-label": `${name}` });
  input.dataset.latent = String(one.index);
  input.addEventListener("input", () => {
    code[one.index] = Number(input.value);
    told(input);
    show();
  });
  const tells = one.dead ? "says nothing" : one.tells === null ? "" : `${about.factors[one.tells.factor].name} ${percent(one.tells.share)}`;
  return make("li", { className: one.dead ? "dead" : "" },
    make("span", { className: "latent" }, name), input, make("output"), make("span", { className: "tells", title: tells }, tells));
}

tried(async () => {
  const answer = await fetch("about.json");
  if (!answer.ok) throw new Error("about.json is missing beside this page");
  about = await answer.json();
  // Until the decoder has started, the first image is the one that was decoded when this page was written.
  paint(element("image"), painted(unpacked(about.first), [1, ...about.shape])[0]);
  element("image").dataset.first = "";
  document.title = element("name").textContent = about.name;
  element("summary").textContent = about.summary;
  element("sliders").append(...about.latents.map(slider));
  const mean = Array.from({ length: about.latents.length }, (_, j) => about.latents.find((one) => one.index === j).base);
  element("example").append(...about.examples.map((_, i) => make("option", { value: String(i) }, `no. ${i + 1}`)));
  element("example").addEventListener("change", (event) => take(about.examples[Number(event.target.value)]));
  element("mean").addEventListener("click", () => take(mean));
  element("random").addEventListener("click", () => take(mean.map((_, j) => (about.latents.find((one) => one.index === j).dead ? mean[j] : normal()))));
  element("scores").append(...about.scores.map((one) => make("tr", {},
    make("th", { scope: "row" }, one.name), make("td", { className: "value" }, one.value.toFixed(3)), make("td", {}, one.says))));
  if (about.scores.length === 0) element("scores").append(make("caption", {}, "None was measured."));
  globalThis.unbraid = { decoded }; // for whoever wants more than sliders, from the console
  take(about.examples[0]);
  say("starting the decoder");
  await session;
  say("");
});
