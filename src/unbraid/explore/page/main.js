// The page: which runs are shown, and which view of them.

import { actions } from "./actions.js";
import * as api from "./api.js";
import { make, say, tried } from "./dom.js";
import { factors } from "./factors.js";
import { map } from "./map.js";
import { objects } from "./objects.js";
import { Panel } from "./panel.js";
import { scores } from "./scores.js";
import { studies } from "./study.js";
import { swap } from "./swap.js";
import { styles, Translation } from "./translation.js";

const element = (id) => document.getElementById(id);
const panels = element("panels");
const tabs = [...document.querySelectorAll('[role="tab"]')];
const usable = () => tabs.filter((tab) => !tab.hidden);
/** @type {(Panel|Translation)[]} */
let shown = [];
/** @type {Map<number, import("./api.js").Run>} */
const runs = new Map();
let mark = () => {};
let stale = new Set();

const views = {
  factors: (view) => factors(view, shown[0]),
  map: (view) => map(view, shown[0]),
  actions: (view) => actions(view, shown[0]),
  swap: (view) => swap(view, shown[0]),
  objects: (view) => objects(view, shown[0]),
  styles: (view) => styles(view, shown[0]),
  scores: (view) => scores(view, shown),
};
const coded = (run) => !run.domains;
/** Which runs have a view, of the views that not all have. */
const suits = {
  factors: coded,
  map: coded,
  swap: coded,
  actions: (run) => coded(run) && run.actions.length > 0,
  objects: (run) => coded(run) && run.slots > 0,
  styles: (run) => Boolean(run.domains) && run.styles[0][0].length > 0,
};

const selected = () => tabs.find((tab) => tab.getAttribute("aria-selected") === "true");

/** Fill the view that is open, if it does not show these runs yet. */
function fill() {
  const open = selected().id.slice(4);
  if (!stale.delete(open)) return;
  const fresh = make("div"); // a view of runs that are no longer shown goes on filling its own
  element(`view-${open}`).replaceChildren(fresh);
  void tried(async () => { await views[open](fresh); });
}

function open(tab) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    element(one.getAttribute("aria-controls")).hidden = !chosen;
  }
  fill();
}

/** The same image for all that are shown, where they take the same images. */
function another() {
  const image = Math.floor(Math.random() * Math.min(...shown.map((panel) => panel.run.images)));
  for (const panel of shown) void panel.take(image);
}

function show() {
  const numbers = [element("run").value, element("beside").value].filter((value) => value !== "").map(Number);
  shown.forEach((panel) => panel.stop());
  shown = numbers.map((number) => new (coded(runs.get(number)) ? Panel : Translation)(number, runs.get(number)));
  for (const panel of shown) panel.addEventListener("another", another);
  document.querySelector("main").classList.toggle("two", shown.length > 1);
  panels.replaceChildren(...shown.map((panel) => panel.element));
  stale = new Set(Object.keys(views));
  another();
  for (const [name, suit] of Object.entries(suits)) element(`tab-${name}`).hidden = !suit(shown[0].run);
  if (selected().hidden) open(usable().at(0));
  fill();
  mark(numbers);
}

/** Have a run among those that can be chosen. @param {import("./api.js").Run} run */
function offer(run) {
  if (runs.has(run.number)) return;
  runs.set(run.number, run);
  for (const select of [element("run"), element("beside")]) {
    select.append(make("option", { value: String(run.number) }, `${run.title} (${run.name})`));
  }
}

/** Show a run of a study. @param {number} number @param {string} where the list in which it is chosen */
async function visit(number, where) {
  say("opening the run");
  await tried(async () => {
    if (!runs.has(number)) offer(await api.run(number));
    element(where).value = String(number);
    say("");
    show();
  });
}

function dress(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

element("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim() !== "#ffffff";
  const theme = dark ? "light" : "dark";
  dress(theme);
  try { localStorage.setItem("theme", theme); } catch { /* then it is forgotten */ }
});
try { dress(localStorage.getItem("theme")); } catch { /* the machine's own */ }

tabs.forEach((tab) => {
  tab.addEventListener("click", () => open(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = usable().at((usable().indexOf(tab) + step) % usable().length);
    open(next);
    next.focus();
  });
});

say("reading the runs");
await tried(async () => {
  const [ready, found] = await Promise.all([api.runs(), api.studies()]);
  element("beside").append(make("option", { value: "" }, "nothing"));
  ready.forEach(offer);
  element("run").addEventListener("change", show);
  element("beside").addEventListener("change", show);
  say("");
  show();
  if (found.length) {
    mark = studies(element("view-study"), found, visit);
    mark(shown.map((panel) => panel.number));
    element("tab-study").hidden = false;
    open(element("tab-study"));
  }
});
