// Which latent tells of which factor, as a table of buttons that are linked with the sliders.

import { latent, make, percent } from "./dom.js";

/** @param {HTMLElement} view @param {import("./panel.js").Panel} panel */
export function factors(view, panel) {
  const { run } = panel;
  const heads = run.latents.map((one) => {
    const button = make("button", { type: "button", className: "latent", "aria-label": `play ${latent(one.index)}` }, latent(one.index));
    button.addEventListener("click", () => { panel.choose(one.index); void panel.play(one.index); });
    return make("th", { scope: "col", className: one.index === panel.chosen ? "chosen" : "" }, button);
  });
  const rows = run.factors.map((factor, k) => make("tr", {}, make("th", { scope: "row" }, factor.name), ...run.latents.map((one) => {
    const share = one.shares[k];
    const told = one.beyondChance[k];
    const text = `${latent(one.index)} carries ${percent(share)} of ${factor.name}${told ? "" : ", no more than chance"}`;
    const button = make("button", {
      type: "button", className: told ? "" : "chance", title: text, "aria-label": text,
    }, percent(share));
    button.style.background = `rgba(var(--heat), ${told ? 0.55 * share : 0})`;
    button.addEventListener("click", () => { panel.choose(one.index); void panel.play(one.index); });
    return make("td", {}, button);
  })));
  view.replaceChildren(
    make("p", { className: "note" }, `How much of each factor's entropy each latent carries, from ${run.samples.toLocaleString("en")} images of ` +
      `${run.images.toLocaleString("en")}; grey is chance. The latents stand in the order of what they carry. A cell plays its latent.`),
    make("div", { className: "scroll" }, make("table", { className: "heat" },
      make("thead", {}, make("tr", {}, make("td", {}), ...heads)), make("tbody", {}, ...rows))));
  const mark = () => heads.forEach((head, at) => head.classList.toggle("chosen", run.latents[at].index === panel.chosen));
  panel.addEventListener("choose", mark);
}
