// Codes of two images put together: some latents of one, the rest of the other.

import * as api from "./api.js";
import { latent, make, paint, tried } from "./dom.js";

const SIDE = 5;

/** @param {HTMLElement} view @param {import("./panel.js").Panel} panel */
export async function swap(view, panel) {
  const { run, number } = panel;
  const board = make("div", { className: "board" });
  board.style.gridTemplateColumns = `repeat(${SIDE + 1}, 1fr)`;
  const live = run.latents.filter((one) => !one.dead);
  const taken = new Set(run.contents
    ? run.latents.filter((one) => one.index < run.contents).map((one) => one.index)
    : live.slice(0, Math.ceil(live.length / 2)).map((one) => one.index));
  const boxes = run.latents.map((one) => {
    const box = make("input", { type: "checkbox", checked: taken.has(one.index) });
    box.addEventListener("change", () => {
      if (box.checked) taken.add(one.index);
      else taken.delete(one.index);
      void fill();
    });
    return make("label", {}, box, ` ${latent(one.index)}`);
  });
  let images = [];
  let codes = [];

  async function draw() {
    const all = (await api.places(number)).images;
    const numbers = Array.from({ length: 2 * SIDE }, () => all[Math.floor(Math.random() * all.length)]);
    [images, codes] = await Promise.all([api.look(number, numbers), api.codes(number, numbers)]);
    await fill();
  }

  async function fill() {
    await tried(async () => {
      const mixed = codes.slice(SIDE).flatMap((row) => codes.slice(0, SIDE).map((column) =>
        row.map((value, j) => (taken.has(j) ? column[j] : value))));
      const made = await api.decode(number, mixed);
      const cell = (image, name, label) => {
        const canvas = make("canvas", { className: name, role: "img", "aria-label": label });
        paint(canvas, image);
        return canvas;
      };
      board.replaceChildren(make("span"), ...images.slice(0, SIDE).map((image) => cell(image, "given", "gives the marked latents")),
        ...images.slice(SIDE).flatMap((image, r) => [cell(image, "given", "gives the other latents"),
          ...made.slice(r * SIDE, (r + 1) * SIDE).map((one) => cell(one, "", "both together"))]));
    });
  }

  const again = make("button", { type: "button" }, "Other images");
  again.addEventListener("click", () => void tried(draw));
  view.replaceChildren(
    make("p", { className: "note" }, "Each column's image gives the marked latents, each row's image the others" +
      (run.contents ? `; the first ${run.contents} are this model's class code.` : ".")),
    make("div", { className: "legend" }, ...boxes), make("div", { className: "buttons" }, again), board);
  await draw();
}
