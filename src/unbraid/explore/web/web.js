// A decoder that runs in the browser, and a slider for each of its latents.

import * as ort from "./ort.wasm.min.mjs";
import { latent, make, newest, normal, paint, percent, say, tried } from "./dom.js";

ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more of them need headers that a simple server does not send

const element = (id) => document.getElementById(id);
let about, session, code;

/** The image of a code. @param {number[]} numbers */
async function decoded(numbers) {
  const given = new ort.Tensor("float32", Float32Array.from(numbers), [1, numbers.length]);
  const { images } = await session.run({ codes: given });
  const [, channels, height, width] = images.dims;
  const place = height * width;
  const image = new ImageData(width, height);
  for (let i = 0; i < place; i += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = 255 * images.data[(channels === 3 ? c : 0) * place + i] + 0.5;
    image.data[4 * i + 3] = 255;
  }
  return { image, values: images.data };
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
  const [told, weights] = await Promise.all([fetch("about.json"), fetch("decoder.onnx")]);
  if (!told.ok || !weights.ok) throw new Error("about.json or decoder.onnx is missing beside this page");
  about = await told.json();
  session = await ort.InferenceSession.create(await weights.arrayBuffer(), { executionProviders: ["wasm"] });
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
  say("");
});
