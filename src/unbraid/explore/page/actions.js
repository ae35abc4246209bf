// For models on whose codes actions act: a button for each, and the orbit that it leads along.

import * as api from "./api.js";
import { make, paint, percent, tried } from "./dom.js";
import { draw } from "./svg.js";

const MOST = 64; // steps

/** @param {HTMLElement} view @param {import("./panel.js").Panel} panel */
export async function actions(view, panel) {
  const { run, number } = panel;
  const told = make("p", { className: "note", role: "status" });
  const plane = draw("svg", { viewBox: "-1.25 -1.25 2.5 2.5", class: "plane", role: "img", "aria-label": "The orbit" });
  const frames = make("div", { className: "scroll" });
  const steps = make("input", { type: "number", min: 1, max: MOST, value: run.actions[0].times });
  /** @type {import("./api.js").Orbit|null} */
  let orbit = null;
  let action = 0;
  let step = 0;
  let asked = 0; // orbits so far: one that comes after another was asked for is let go
  let rows = [];

  const buttons = run.actions.map((one, n) => {
    const button = make("button", { type: "button" }, one.name);
    button.addEventListener("click", () => void tried(() => act(n)));
    return button;
  });
  const stands = () => orbit !== null && orbit.codes[step].every((value, j) => value === panel.code[j]);

  /** Go a step on with an action. @param {number} chosen */
  async function act(chosen) {
    if (chosen === action && stands() && step + 1 < orbit.codes.length) return to(step + 1);
    if (chosen !== action) steps.value = String(run.actions[chosen].times);
    if (await lay(chosen)) await to(1);
  }

  /** Draw the orbit of an action from where the code stands, and tell whether it was. @param {number} chosen */
  async function lay(chosen) {
    const turn = ++asked;
    const code = [...panel.code];
    const times = Math.min(MOST, Math.max(1, Math.round(Number(steps.value)) || 1));
    // The world's own orbit is told where it is known which of its images the code stands for.
    const image = code.every((value, j) => value === panel.start[j]) ? panel.image : stands() ? orbit.images?.[step] ?? null : null;
    const found = await api.orbit(number, { code, action: chosen, times, image });
    const [made, shown] = await Promise.all([
      api.decode(number, found.codes), found.images ? api.look(number, found.images) : null]);
    if (turn !== asked) return false;
    found.codes[0] = code; // to the last digit
    [orbit, action, step] = [found, chosen, 0];
    buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(n === chosen)));
    picture();
    const row = (images, head, each) => make("tr", {}, make("th", { scope: "row" }, head), ...images.map((image, n) => {
      const canvas = make("canvas", { role: "img", "aria-label": `${head}, after ${n} steps` });
      paint(canvas, image);
      return make("td", {}, each(canvas, n));
    }));
    const takes = (canvas, n) => {
      canvas.setAttribute("role", "presentation");
      const button = make("button", { type: "button", "aria-label": `take the code after ${n} steps` }, canvas);
      button.addEventListener("click", () => void to(n));
      return button;
    };
    const decoded = row(made, "decoded", takes);
    rows = [...decoded.querySelectorAll("button")];
    frames.replaceChildren(make("table", { className: "frames" },
      make("tbody", {}, decoded, ...(shown ? [row(shown, "the world's", (canvas) => canvas)] : []))));
    mark();
    return true;
  }

  /** Take the code after so many steps. @param {number} n */
  async function to(n) {
    step = n;
    mark();
    await panel.set(orbit.codes[n]);
  }

  /** The path in the plane in which it varies most. */
  function picture() {
    const at = (code) => orbit.directions.map((direction) =>
      direction.reduce((sum, value, j) => sum + value * (code[j] - orbit.centre[j]), 0));
    const path = orbit.codes.map(at);
    const truth = (orbit.truth ?? []).map(at);
    const wide = Math.max(1e-9, ...[...path, ...truth].flat().map(Math.abs));
    const place = ([x, y]) => [x / wide, -y / wide];
    const line = (points, name) => draw("polyline", { class: name, points: points.map((point) => place(point).join(",")).join(" ") });
    const dot = (name, size) => (point, n) => {
      const [cx, cy] = place(point);
      return draw("circle", { class: name, cx, cy, r: size, "data-step": n });
    };
    plane.replaceChildren(line(truth, "truth"), line(path, "path"), ...truth.map(dot("truth", 0.055)), ...path.map(dot("path", 0.035)));
    const far = Math.max(1e-9, ...orbit.codes.map((code) => apart(code, orbit.codes[0])));
    const end = percent(apart(orbit.codes.at(-1), orbit.codes[0]) / far);
    const text = `${run.actions[action].name}, ${orbit.codes.length - 1} times: it ends ${end} of the way across from where it began`;
    told.textContent = `${text}. Dots: codes after each step${truth.length ? "; rings: codes of the world's own images" : ""}.`;
    plane.setAttribute("aria-label", `The orbit of ${text}`);
  }

  function mark() {
    for (const dot of plane.querySelectorAll("circle.path")) dot.classList.toggle("now", Number(dot.dataset.step) === step);
    rows.forEach((button, n) => {
      if (n === step) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  }

  steps.addEventListener("change", () => void tried(() => lay(action)));
  view.replaceChildren(
    make("p", { className: "note" }, "A button applies its action to the code, whose image changes with it; below is where the action leads " +
      "if it is applied again and again, in the plane in which that path varies most. A frame takes its code."),
    make("div", { className: "buttons" }, ...buttons, make("label", {}, "Steps ", steps)), plane, told, frames);
  await panel.ready;
  await lay(0);
  panel.addEventListener("start", () => void tried(() => lay(action)));
}

/** @param {number[]} one @param {number[]} other */
const apart = (one, other) => Math.hypot(...one.map((value, j) => value - other[j]));
