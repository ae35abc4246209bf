// The runs of a study: box plots of a score by method, in which every run is a point that opens it.

import { make, tone } from "./dom.js";

/**
 * @param {HTMLElement} view @param {import("./api.js").Study[]} studies
 * @param {(number: number, where: string) => Promise<void>} open
 * @returns {(numbers: number[]) => void} marks the runs that are shown
 */
export function studies(view, studies, open) {
  const where = make("select", {}, make("option", { value: "run" }, "in the page"), make("option", { value: "beside" }, "beside the other"));
  let current = [];
  const mark = (numbers) => {
    current = numbers.map(String);
    for (const point of view.querySelectorAll(".point")) {
      if (current.includes(point.value)) point.setAttribute("aria-current", "true");
      else point.removeAttribute("aria-current");
    }
  };
  view.replaceChildren(
    make("p", { className: "note" }, "A point is a run, a box the middle half of a method's runs, its line their median. " +
      "Point at one to see what it is; a click, or Enter, opens it. Arrow keys go from point to point."),
    make("div", { className: "buttons" }, make("label", {}, "A point opens ", where)),
    ...studies.map((study) => one(study, (number) => open(number, where.value), () => mark(current))));
  return mark;
}

/** @param {import("./api.js").Study} study @param {(number: number) => void} open @param {() => void} marked */
function one(study, open, marked) {
  const select = make("select", {}, ...study.scores.map((score) => make("option", { value: score.name }, score.name)));
  const says = make("p", { className: "note" });
  const rows = make("div", { className: "boxes" });
  const told = make("p", { className: "note told", role: "status" });
  const methods = [...new Set(study.runs.map((run) => run.method))];

  function draw() {
    const score = study.scores.find(({ name }) => name === select.value);
    const value = (run) => run.values[score.name];
    const ticks = scale(study.runs.map(value));
    const [low, high] = [ticks[0], ticks.at(-1)];
    const place = (number) => `${(100 * (number - low)) / (high - low)}%`;
    says.textContent = [score.says, score.better ? `${score.better === "lower" ? "Lower" : "Higher"} is better.` : ""].filter(Boolean).join(" ");
    const drawn = methods.map((method, at) => {
      const runs = study.runs.filter((run) => run.method === method).sort((a, b) => value(a) - value(b));
      const settings = [...new Set(study.runs.filter((run) => run.method === method).map((run) => run.options))];
      const strip = make("div", { className: `box ${tone(at)}` }, ...ticks.map((tick) => {
        const line = make("i", { className: "tick" });
        line.style.left = place(tick);
        return line;
      }), ...box(runs.map(value), place));
      const buttons = runs.map((run) => {
        const text = `${run.title}: ${score.name} ${value(run).toFixed(3)}`;
        const button = make("button", { type: "button", className: "point", value: String(run.number), tabIndex: -1, title: text, "aria-label": text });
        button.style.left = place(value(run));
        button.style.top = `${(100 * (settings.indexOf(run.options) + 0.5)) / settings.length}%`;
        for (const event of ["focus", "pointerenter"]) button.addEventListener(event, () => { told.textContent = text; });
        button.addEventListener("click", () => void open(run.number));
        return button;
      });
      strip.append(...buttons);
      const name = make("div", { className: "name", title: method }, method);
      return { name, strip, buttons };
    });
    const axis = make("div", { className: "axis", ariaHidden: "true" }, ...ticks.map((tick) => {
      const label = make("span", {}, plain(tick));
      label.style.left = place(tick);
      return label;
    }));
    rows.replaceChildren(...drawn.flatMap(({ name, strip }) => [name, strip]), make("div"), axis);
    walk(rows, drawn.map(({ buttons }) => buttons));
    marked();
  }

  select.addEventListener("change", draw);
  draw();
  return make("section", { className: "study", "aria-label": `Study ${study.name}` },
    make("h3", {}, `${study.name}: ${study.runs.length} runs`),
    make("div", { className: "buttons" }, make("label", {}, "Score ", select)), says, rows, told);
}

/** The arrow keys go through rows of buttons, of which one can be reached with Tab. */
function walk(rows, buttons) {
  const go = (button) => {
    for (const other of buttons.flat()) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  };
  buttons.find((row) => row.length)[0].tabIndex = 0;
  rows.onkeydown = (event) => {
    const row = buttons.findIndex((some) => some.includes(event.target));
    if (row < 0) return;
    const at = buttons[row].indexOf(event.target);
    const aside = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons[row].length - 1 }[event.key];
    const other = { ArrowDown: buttons[row + 1], ArrowUp: buttons[row - 1] }[event.key];
    const left = parseFloat(event.target.style.left);
    const away = (button) => Math.abs(parseFloat(button.style.left) - left);
    const next = other?.reduce((best, button) => (away(button) < away(best) ? button : best)) ?? buttons[row][aside];
    if (aside !== undefined || event.key.startsWith("Arrow")) event.preventDefault();
    if (next) go(next);
  };
}

/** The box of some values that are in order, as elements. */
function box(values, place) {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(values, share));
  const reach = 1.5 * (high - low);
  const parts = {
    whisker: [values.find((value) => value >= low - reach), values.findLast((value) => value <= high + reach)],
    half: [low, high],
    median: [middle, middle],
  };
  return Object.entries(parts).map(([name, [from, to]]) => {
    const part = make("i", { className: name });
    part.style.left = place(from);
    part.style.right = `calc(100% - ${place(to)})`;
    return part;
  });
}

/** @param {number[]} values in order @param {number} share */
function quantile(values, share) {
  const at = share * (values.length - 1);
  const below = values[Math.floor(at)];
  return below + (at % 1) * (values[Math.ceil(at)] - below);
}

/** Round numbers from below the least to above the greatest, at even steps. @param {number[]} values */
function scale(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const wide = most - least || Math.abs(most) || 1;
  const rough = 10 ** Math.floor(Math.log10(wide / 4));
  const step = [1, 2, 5, 10].map((n) => n * rough).find((size) => wide / size <= 5);
  const first = Math.floor(least / step);
  const count = Math.max(1, Math.ceil(most / step) - first);
  return Array.from({ length: count + 1 }, (_, n) => Number(((first + n) * step).toPrecision(12)));
}

/** @param {number} number */
const plain = (number) => String(number).replace("-", "−");
