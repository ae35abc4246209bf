// One run: a picture, what the model makes of it, and a slider for each latent.

import * as api from "./api.js";
import { drops, latent, make, newest, opener, paint, percent, say, tone, tried } from "./dom.js";

const FRAMES = 25; // of a film, there; it goes back the same way
const SHOWN = 9; // of them, side by side
const SECONDS = 2.4;

export class Panel extends EventTarget {
  /** @param {number} number @param {import("./api.js").Run} run */
  constructor(number, run) {
    super();
    this.number = number;
    this.run = run;
    /** @type {number[]} */
    this.code = Array(run.latents.length);
    for (const one of run.latents) this.code[one.index] = one.base;
    this.start = [...this.code];
    /** @type {number|null} */
    this.image = null; // of the world, that the start is the code of
    this.chosen = null;
    this.film = 0;
    this.films = 0; // begun or ended so far: frames that come after another was asked for are let go
    this.asked = 0; // pictures so far: an answer that comes after another was asked for is let go
    this.ready = Promise.resolve(); // when the picture that was asked for last is shown
    this.show = newest(async () => {
      const [image] = await api.decode(this.number, [this.code]);
      paint(this.made, image);
      this.element.dataset.shown = this.code.map((value) => value.toFixed(3)).join(" ");
    });
    this.element = this.build();
    this.tell(); // an image is asked for next: to show the base before it would only undo what a quick hand does meanwhile
  }

  build() {
    const { run } = this;
    this.given = make("canvas", { "aria-label": "the picture that is given", role: "img" });
    this.made = make("canvas", { "aria-label": "what the model makes of the code", role: "img" });
    const another = make("button", { type: "button" }, "Another image");
    another.addEventListener("click", () => this.dispatchEvent(new Event("another")));
    const reset = make("button", { type: "button" }, "Reset");
    reset.addEventListener("click", () => this.set(this.start));
    this.rows = new Map();
    const list = make("ol", { className: "sliders" }, ...(run.slots > 0 ? this.grouped() : run.latents.map((one) => this.slider(one))));
    this.strip = make("figure", { className: "strip", hidden: true });
    const title = make("h2", {}, run.name);
    const about = make("p", { className: "note" }, `${run.title}: seed ${run.seed}, ${run.steps.toLocaleString("en")} steps. ${run.summary}`);
    const panel = make(
      "article", { className: "panel", "aria-label": run.name }, title, about,
      make("div", { className: "pictures" },
        make("figure", {}, this.given, make("figcaption", {}, "given (drop a picture here)")),
        make("figure", {}, this.made, make("figcaption", {}, "decoded"))),
      make("div", { className: "buttons" }, another, ...opener("Open a picture", (file) => this.open(file)), reset), list, this.strip);
    drops(panel, (file) => this.open(file));
    return panel;
  }

  /** Sliders entity by entity, each under its name and in its colour. */
  grouped() {
    const { latents, slots } = this.run;
    const own = latents.length / slots;
    return Array.from({ length: slots }, (_, n) => {
      const rows = latents.filter((one) => Math.floor(one.index / own) === n).map((one) => this.slider(one));
      rows.forEach((row) => row.classList.add(tone(n)));
      return [make("li", { className: `whose ${tone(n)}` }, `entity ${n + 1}`), ...rows];
    }).flat();
  }

  /** @param {import("./api.js").Latent} one */
  slider(one) {
    const name = latent(one.index);
    const tells = one.dead ? "carries nothing" : one.tells
      ? `${this.run.factors[one.tells.factor].name} ${percent(one.tells.share)}` : "tells of no factor";
    const nats = one.nats === null ? "" : `, ${one.nats} nats`;
    const play = make("button", { type: "button", className: "latent", title: `Play what ${name} does${nats}` }, name);
    play.addEventListener("click", () => { this.choose(one.index); this.play(one.index); });
    const input = make("input", { type: "range", min: one.low, max: one.high, step: 0.01, "aria-label": `${name}, ${tells}` });
    const output = make("output", {});
    input.addEventListener("input", () => {
      this.stop();
      this.choose(one.index);
      this.code[one.index] = Number(input.value);
      this.update();
    });
    const row = make("li", { className: one.dead ? "dead" : "" }, play, input, output,
      make("span", { className: "tells", title: tells + nats }, tells));
    this.rows.set(one.index, { row, input, output });
    return row;
  }

  /** Put the numbers of the code at its sliders. */
  tell() {
    for (const [index, { input, output }] of this.rows) {
      input.value = String(this.code[index]);
      output.textContent = this.code[index].toFixed(2).replace("-", "−");
    }
  }

  /** Show the code: its numbers and its image. */
  update() {
    this.tell();
    this.dispatchEvent(new Event("code"));
    return this.show();
  }

  /** Take a code as it is. @param {number[]} code */
  set(code) {
    this.stop();
    this.code = [...code];
    return this.update();
  }

  /** An image of the world. @param {number} image */
  take(image) {
    return this.begin(async () => {
      const [[pixels], [code]] = await Promise.all([api.look(this.number, [image]), api.codes(this.number, [image])]);
      return { pixels, code, image };
    });
  }

  /** A picture of the reader's. @param {Blob} file */
  open(file) {
    return this.begin(async () => {
      const { code, image } = await api.encode(this.number, file);
      say("");
      return { pixels: image, code, image: null };
    });
  }

  /** Begin with a picture and its code. @param {() => Promise<{pixels: ImageData, code: number[], image: number|null}>} get */
  begin(get) {
    this.strip.hidden = true;
    const number = ++this.asked;
    this.ready = tried(async () => {
      const found = await get().catch(async (error) => {
        if (number === this.asked && !this.element.dataset.shown) await this.update();
        if (number === this.asked) throw error;
      });
      // Something else is asked for by now, which speaks for itself.
      if (!found || number !== this.asked) return this.ready.then(() => false);
      paint(this.given, found.pixels);
      [this.start, this.image] = [found.code, found.image];
      await this.set(found.code);
      this.dispatchEvent(new Event("start"));
    });
    return this.ready;
  }

  /** Mark a latent, here and wherever else it is shown. @param {number} index */
  choose(index) {
    if (this.chosen === index) return;
    this.rows.get(this.chosen)?.row.classList.remove("chosen");
    this.rows.get(index).row.classList.add("chosen");
    this.chosen = index;
    this.dispatchEvent(new CustomEvent("choose", { detail: index }));
  }

  stop() {
    cancelAnimationFrame(this.film);
    this.film = 0;
    this.films++;
  }

  /** Play a latent from end to end and back, and lay its film out below. @param {number} index */
  async play(index) {
    this.stop();
    const begun = this.films;
    const { low, high } = this.run.latents.find((one) => one.index === index);
    const codes = Array.from({ length: FRAMES }, (_, n) => {
      const code = [...this.code];
      code[index] = low + ((high - low) * n) / (FRAMES - 1);
      return code;
    });
    await tried(async () => {
      const frames = await api.decode(this.number, codes);
      if (begun !== this.films) return;
      this.lay(index, frames, codes);
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      const began = performance.now();
      const draw = (now) => {
        const turn = (now - began) / 1000 / SECONDS;
        if (turn >= 1) {
          this.film = 0;
          void this.update();
          return;
        }
        const frame = Math.round((FRAMES - 1) * (0.5 - 0.5 * Math.cos(2 * Math.PI * turn)));
        paint(this.made, frames[frame]);
        this.rows.get(index).input.value = String(codes[frame][index]);
        this.film = requestAnimationFrame(draw);
      };
      this.film = requestAnimationFrame(draw);
    });
  }

  /** @param {number} index @param {ImageData[]} frames @param {number[][]} codes */
  lay(index, frames, codes) {
    const { width, height } = frames[0];
    const canvas = make("canvas", { width: SHOWN * (width + 1) - 1, height, role: "img", "aria-label": `film of ${latent(index)}` });
    const context = canvas.getContext("2d");
    for (let n = 0; n < SHOWN; n++) context.putImageData(frames[Math.round((n * (FRAMES - 1)) / (SHOWN - 1))], n * (width + 1), 0);
    const ends = [codes[0][index], codes[FRAMES - 1][index]].map((value) => value.toFixed(1).replace("-", "−"));
    this.strip.replaceChildren(canvas, make("figcaption", {}, `${latent(index)} from ${ends[0]} to ${ends[1]}, all else as it is`));
    this.strip.hidden = false;
  }
}
