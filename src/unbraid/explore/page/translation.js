// One run that translates: a picture of one domain, what it is in the other, and a slider for each number of its style.

import * as api from "./api.js";
import { drops, make, newest, normal, opener, paint, say, tried } from "./dom.js";

const STYLES = 6; // in a row of the board

export class Translation extends EventTarget {
  /** @param {number} number @param {import("./api.js").Run} run */
  constructor(number, run) {
    super();
    this.number = number;
    this.run = run;
    this.source = 0;
    /** @type {number[]} */
    this.style = run.styles[1][0].map(() => 0);
    /** @type {import("./api.js").Picture|null} */
    this.picture = null;
    /** @type {number[]} the style of the picture itself, to go back with */
    this.own = this.style;
    this.examples = Promise.all([0, 1].map((domain) => api.examples(number, domain)));
    this.ready = Promise.resolve();
    this.asked = 0; // pictures so far: an answer that comes after another was asked for is let go
    this.show = newest(async () => {
      const { picture, source, style, own } = this;
      const [there] = await api.translate(number, { picture, domain: source, styles: [style] });
      paint(this.made, there.image);
      const [back] = await api.translate(number, { picture: there, domain: 1 - source, styles: [own] });
      paint(this.again, back.image);
      this.element.dataset.shown = [source, ...style.map((value) => value.toFixed(3))].join(" ");
    });
    this.element = this.build();
    this.turn(0);
  }

  build() {
    const { run } = this;
    const canvas = (label) => make("canvas", { role: "img", "aria-label": label });
    [this.given, this.made, this.again] = ["the picture that is given", "its translation", "the translation, translated back"].map(canvas);
    this.direction = make("select", {}, ...[0, 1].map((source) =>
      make("option", { value: String(source) }, `${run.domains[source]} to ${run.domains[1 - source]}`)));
    this.direction.addEventListener("change", () => { this.turn(Number(this.direction.value)); void this.take(); });
    const button = (text, act) => {
      const made = make("button", { type: "button" }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.captions = [make("figcaption"), make("figcaption"), make("figcaption")];
    const figures = [this.given, this.made, this.again].map((one, n) => make("figure", {}, one, this.captions[n]));
    drops(figures[0], (file) => this.open(file));
    const styled = run.styles[0][0].length > 0;
    if (styled) drops(figures[1], (file) => this.like(file));
    this.list = make("ol", { className: "sliders" });
    return make("article", { className: "panel", "aria-label": run.name }, make("h2", {}, run.name),
      make("p", { className: "note" }, `${run.title}: seed ${run.seed}, ${run.steps.toLocaleString("en")} steps. ${run.summary}`),
      make("div", { className: "buttons" }, make("label", {}, "From ", this.direction)),
      make("div", { className: "pictures three" }, ...figures),
      make("div", { className: "buttons" }, button("Another image", () => this.dispatchEvent(new Event("another"))),
        ...opener("Open a picture", (file) => this.open(file)),
        ...(styled ? [button("Draw a style", () => this.wear(this.style.map(normal))),
          ...opener("Style of a picture", (file) => this.like(file))] : [])),
      this.list);
  }

  /** Translate from a domain to the other. @param {number} source */
  turn(source) {
    const { domains, reach } = this.run;
    this.source = source;
    this.direction.value = String(source);
    const told = [`${domains[source]} (drop a picture here)`,
      domains[1 - source] + (this.style.length ? " (drop one here for its style)" : ""), "and back"];
    this.captions.forEach((caption, n) => { caption.textContent = told[n]; });
    this.inputs = this.style.map((value, j) => {
      const far = reach[1 - source][j];
      const input = make("input", { type: "range", min: -far, max: far, step: 0.01, value, "aria-label": `style, number ${j + 1}` });
      input.addEventListener("input", () => {
        const style = [...this.style];
        style[j] = Number(input.value);
        void this.wear(style);
      });
      return input;
    });
    this.outputs = this.inputs.map(() => make("output"));
    this.list.replaceChildren(...this.inputs.map((input, j) =>
      make("li", {}, make("span", { className: "latent" }, `s${j + 1}`), input, this.outputs[j])));
  }

  /** Translate in a style. @param {number[]} style */
  wear(style) {
    this.style = [...style];
    this.inputs.forEach((input, j) => {
      input.value = String(style[j]);
      this.outputs[j].textContent = style[j].toFixed(2).replace("-", "−");
    });
    return this.show();
  }

  /** One of the examples; another one each time, where it is not said which. @param {number} [which] */
  take(which = Math.floor(Math.random() * 1e6)) {
    return this.begin(async () => {
      const { source } = this;
      const some = (await this.examples)[source];
      const n = which % some.length;
      return { picture: some[n], style: this.run.styles[source][n] };
    });
  }

  /** A picture of the reader's. @param {Blob} file */
  open(file) {
    return this.begin(() => api.style(this.number, this.source, file));
  }

  /** @param {() => Promise<{picture: import("./api.js").Picture, style: number[]}>} get */
  begin(get) {
    const number = ++this.asked;
    this.ready = tried(async () => {
      const found = await get().catch((error) => {
        if (number === this.asked) throw error;
      });
      // Something else is asked for by now, which speaks for itself.
      if (!found || number !== this.asked) return this.ready.then(() => false);
      [this.picture, this.own] = [found.picture, found.style];
      paint(this.given, found.picture.image);
      say("");
      await this.wear(this.style);
      this.dispatchEvent(new Event("start"));
    });
    return this.ready;
  }

  /** In the style of a picture. @param {Blob} file */
  like(file) {
    return tried(async () => {
      const { style } = await api.style(this.number, 1 - this.source, file);
      say("");
      await this.wear(style);
    });
  }

  stop() {}
}

/** The picture in many styles: of examples, and drawn ones. @param {HTMLElement} view @param {Translation} panel */
export async function styles(view, panel) {
  const { run, number } = panel;
  const board = make("div", { className: "board" });
  board.style.gridTemplateColumns = `repeat(${STYLES}, 1fr)`;
  const drawn = make("div", { className: "board" });
  drawn.style.gridTemplateColumns = board.style.gridTemplateColumns;
  let first = 0;

  async function fill() {
    await panel.ready;
    const { picture, source } = panel;
    const there = 1 - source;
    const images = (await panel.examples)[there];
    const chosen = Array.from({ length: STYLES }, (_, n) => (first + n) % images.length);
    const worn = [...chosen.map((n) => run.styles[there][n]), ...Array.from({ length: STYLES }, () => panel.style.map(normal))];
    const made = await api.translate(number, { picture, domain: source, styles: worn });
    const tile = ({ image }, style, label) => {
      const canvas = make("canvas", { role: "presentation" });
      paint(canvas, image);
      const button = make("button", { type: "button", "aria-label": label }, canvas);
      button.addEventListener("click", () => void panel.wear(style));
      return button;
    };
    const given = (n) => {
      const canvas = make("canvas", { className: "given", role: "img", "aria-label": `example of ${run.domains[there]}, no. ${n + 1}` });
      paint(canvas, images[n].image);
      return canvas;
    };
    board.replaceChildren(...chosen.map(given), ...made.slice(0, STYLES).map((one, n) => tile(one, worn[n], `in the style of example no. ${chosen[n] + 1}`)));
    drawn.replaceChildren(...made.slice(STYLES).map((one, n) => tile(one, worn[STYLES + n], `in a style that is drawn, no. ${n + 1}`)));
  }

  const again = make("button", { type: "button" }, "Other styles");
  again.addEventListener("click", () => { first += STYLES; void tried(fill); });
  view.replaceChildren(make("p", { className: "note" }, "The picture at the left in the styles of the examples above each, then in styles that are drawn. A click takes the style."),
    make("div", { className: "buttons" }, again), make("h3", {}, "As the examples look"), board, make("h3", {}, "In drawn styles"), drawn);
  panel.addEventListener("start", () => void tried(fill));
  await fill();
}
