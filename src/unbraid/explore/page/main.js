// The page: which runs are shown, and which view of them.

import * as api from "./api.js";
import { make, say, tried } from "./dom.js";
import { factors } from "./factors.js";
import { map } from "./map.js";
import { Panel } from "./panel.js";
import { scores } from "./scores.js";
import { swap } from "./swap.js";

const element = (id) => document.getElementById(id);
const panels = element("panels");
const tabs = [...document.querySelectorAll('[role="tab"]')];
/** @type {Panel[]} */
let shown = [];
/** @type {import("./api.js").Run[]} */
let runs = [];
let stale = new Set();

const views = {
  factors: (view) => factors(view, shown[0]),
  map: (view) => map(view, shown[0]),
  swap: (view) => swap(view, shown[0]),
  scores: (view) => scores(view, shown),
};

/** Fill the view that is open, if it does not show these runs yet. */
function fill() {
  const open = tabs.find((tab) => tab.getAttribute("aria-selected") === "true").id.slice(4);
  if (!stale.delete(open)) return;
  void tried(async () => { await views[open](element(`view-${open}`)); });
}

function open(tab) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    element(one.getAttribute("aria-controls")).hidden = !chosen;
  }
  tab.focus();
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
  shown = numbers.map((number) => new Panel(number, runs[number]));
  for (const panel of shown) panel.addEventListener("another", another);
  document.querySelector("main").classList.toggle("two", shown.length > 1);
  panels.replaceChildren(...shown.map((panel) => panel.element));
  stale = new Set(Object.keys(views));
  another();
  fill();
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

tabs.forEach((tab, at) => {
  tab.addEventListener("click", () => open(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) open(tabs[(at + step + tabs.length) % tabs.length]);
  });
});

say("reading the runs");
await tried(async () => {
  runs = await api.runs();
  const options = () => runs.map((run, number) => make("option", { value: String(number) }, `${run.path} (${run.name})`));
  element("run").replaceChildren(...options());
  element("beside").replaceChildren(make("option", { value: "" }, "nothing"), ...options());
  element("run").addEventListener("change", show);
  element("beside").addEventListener("change", show);
  say("");
  show();
});
