// For models that take images apart: the entities of the code, where each was looked for, and the image without some.

import * as api from "./api.js";
import { make, newest, paint, tone, tried } from "./dom.js";
import { draw } from "./svg.js";

/** @param {HTMLElement} view @param {import("./panel.js").Panel} panel */
export async function objects(view, panel) {
  const { run, number } = panel;
  const kept = Array(run.slots).fill(true);
  const whole = make("canvas", { role: "img", "aria-label": "the image of the entities that are kept" });
  const marked = make("canvas", { role: "img", "aria-label": "which entity owns which pixel" });
  const frames = draw("svg", { viewBox: "0 0 1 1", class: "windows", role: "img", "aria-label": "where each entity was looked for" });
  const caption = make("figcaption");
  const told = make("p", { className: "note", role: "status" });
  const entities = kept.map((_, n) => {
    const canvas = make("canvas", { role: "img", "aria-label": `entity ${n + 1} by itself` });
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      kept[n] = box.checked;
      void show();
    });
    const said = make("span");
    const element = make("li", { className: `entity ${tone(n)}` }, canvas, make("label", {}, box, ` entity ${n + 1}`), said);
    return { canvas, said, element };
  });

  const show = newest(async () => {
    const found = await api.objects(number, { code: panel.code, kept });
    const [, height, width] = run.shape;
    paint(whole, found.image);
    found.alone.forEach((image, n) => paint(entities[n].canvas, image));
    paint(marked, owners(found, width, height));
    frames.replaceChildren(...(found.windows ?? []).flatMap(([x, y, wide, high], n) => (found.present[n]
      ? [draw("rect", { class: tone(n), x, y, width: wide, height: high })] : [])));
    entities.forEach(({ element, said }, n) => {
      element.classList.toggle("absent", !found.present[n]);
      said.textContent = found.present[n] ? "" : "stands for nothing";
    });
    const count = found.present.filter(Boolean).length;
    told.textContent = `${count} of ${run.slots} entities ${count === 1 ? "stands" : "stand"} for something.`;
    caption.textContent = found.windows ? "decoded, with windows" : "decoded";
    view.dataset.shown = [...panel.code.map((value) => value.toFixed(3)), ...kept].join(" ");
  });

  /** Every pixel in the colour of the entity whose mask is greatest there, as far as that mask goes. */
  function owners({ masks, present }, width, height) {
    const image = new ImageData(width, height);
    const tones = entities.map(({ element }) => rgb(getComputedStyle(element).getPropertyValue("--tone")));
    const place = width * height;
    for (let p = 0; p < place; p++) {
      let best = -1;
      for (let n = 0; n < run.slots; n++) {
        if (present[n] && (best < 0 || masks[n * place + p] > masks[best * place + p])) best = n;
      }
      const share = best < 0 ? 0 : masks[best * place + p];
      image.data.set([...(best < 0 ? [0, 0, 0] : tones[best]).map((value) => (value * share) / 255), 255], 4 * p);
    }
    return image;
  }

  view.replaceChildren(
    make("p", { className: "note" }, "The code of the picture at the left, entity by entity. What is not ticked is left out of the image. " +
      "The sliders of the code move entities too."),
    make("div", { className: "pictures three" },
      make("figure", {}, make("div", { className: "under" }, whole, frames), caption),
      make("figure", {}, marked, make("figcaption", {}, "masks, each in its colour"))),
    told, make("ul", { className: "entities" }, ...entities.map(({ element }) => element)));
  await panel.ready;
  panel.addEventListener("code", () => void show());
  await tried(show);
}

/** @param {string} colour as #rrggbb */
const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.trim().slice(at, at + 2), 16));
