// What has been measured, with what each number means.

import { make } from "./dom.js";

/** @param {HTMLElement} view @param {import("./panel.js").Panel[]} panels */
export function scores(view, panels) {
  const names = [...new Set(panels.flatMap((panel) => panel.run.scores.map((score) => score.name)))];
  if (!names.length) {
    view.replaceChildren(make("p", {}, "Nothing has been measured yet. ", make("code", {}, "unbraid evaluate RUN --scores all"), " does, and this page shows it when it is started again."));
    return;
  }
  const heads = ["score", ...panels.map((panel) => (panels.length > 1 ? panel.run.title : "value")), "what it says"];
  const rows = names.map((name) => {
    const found = panels.map((panel) => panel.run.scores.find((score) => score.name === name));
    const one = found.find(Boolean);
    const parts = Object.entries(one.parts).map(([part, value]) => `${part} ${value.toFixed(3)}`).join(", ");
    const range = one.lowest !== null && one.highest !== null ? `from ${one.lowest} to ${one.highest}, ` : "";
    const bounds = Object.entries(one.bounds).map(([of, value]) => `${of} ${value.toFixed(2)}`).join(", ");
    return make("tr", {}, make("th", { scope: "row" }, name), ...found.map((score) => make("td", { className: "value" },
      ...(score ? [score.value.toFixed(3), ...bar(score)] : ["–"]))),
    make("td", {}, make("div", {}, one.says), make("div", { className: "note" }, `${range}${one.better} is better${bounds ? `; ${bounds}` : ""}`),
      ...(parts ? [make("details", {}, make("summary", {}, "parts"), parts)] : []),
      ...(one.reference ? [make("div", { className: "note" }, one.reference)] : [])));
  });
  view.replaceChildren(make("table", { className: "scores" },
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows)));
}

/** @param {import("./api.js").Score} score */
function bar({ name, value, lowest, highest }) {
  return lowest === null || highest === null ? [] : [make("div", {}, make("meter", { min: lowest, max: highest, value, "aria-label": name }))];
}
