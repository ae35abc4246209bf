// Where images lie: the plane in which codes vary most, coloured by a factor; a lasso picks images.

import * as api from "./api.js";
import { make, newest, paint, percent, tried } from "./dom.js";

const WIDTH = 1000;
const HEIGHT = 800;
const EDGE = 36;
const NEAR = 22; // pixels from which a point is under the pointer
const PICKED = 48; // images of a lasso that are shown

/** @param {HTMLElement} view @param {import("./panel.js").Panel} panel */
export async function map(view, panel) {
  const { run } = panel;
  const found = await api.places(panel.number);
  const canvas = make("canvas", { width: WIDTH, height: HEIGHT, tabIndex: 0, role: "img" });
  const context = canvas.getContext("2d");
  const varied = run.factors.map((factor, k) => ({ factor, k })).filter(({ factor }) => factor.size > 1);
  const select = make("select", {}, ...varied.map(({ factor, k }) => make("option", { value: String(k) }, factor.name)));
  const told = varied.map(({ k }) => Math.max(0, ...run.latents.map((one) => (one.beyondChance[k] ? one.shares[k] : 0))));
  select.selectedIndex = told.indexOf(Math.max(...told));
  const legend = make("div", { className: "legend" });
  const small = make("canvas", { role: "img", "aria-label": "the image at the pointer" });
  const words = make("div", {});
  const hover = make("div", { className: "hover" }, small, words);
  const picked = make("div", { className: "picked" });
  const summary = make("p", { className: "note", role: "status" });
  const mean = make("button", { type: "button", hidden: true }, "Decode their mean");
  let lasso = [];
  let inside = new Set();
  let at = -1;

  const [xs, ys] = [0, 1].map((axis) => found.points.map((point) => point[axis]));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const dots = found.points.map(([x, y]) => [
    EDGE + ((x - left) / (right - left || 1)) * (WIDTH - 2 * EDGE),
    HEIGHT - EDGE - ((y - low) / (high - low || 1)) * (HEIGHT - 2 * EDGE),
  ]);
  const value = (n, k) => run.factors[k].values[found.factors[n][k]] ?? String(found.factors[n][k]);
  const factor = () => run.factors[Number(select.value)];

  function draw() {
    const colours = factor().colours;
    const k = Number(select.value);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    dots.forEach(([x, y], n) => {
      context.globalAlpha = inside.size && !inside.has(n) ? 0.12 : 0.8;
      context.fillStyle = colours[found.factors[n][k]];
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.fill();
    });
    context.globalAlpha = 1;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = 2;
    if (at >= 0) {
      context.beginPath();
      context.arc(dots[at][0], dots[at][1], 9, 0, 2 * Math.PI);
      context.stroke();
    }
    if (lasso.length > 1) {
      context.beginPath();
      lasso.forEach(([x, y], n) => (n ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.stroke();
    }
  }

  function colour() {
    const { values, colours, name } = factor();
    const step = Math.max(1, Math.ceil(values.length / 12));
    legend.replaceChildren(...values.flatMap((text, n) => {
      if (n % step) return [];
      const dot = make("i");
      dot.style.background = colours[n];
      return [make("span", {}, dot, text)];
    }));
    canvas.setAttribute("aria-label", `${found.points.length} images by their codes, coloured by ${name}; arrow keys go from image to image, Enter takes it`);
    draw();
  }

  const look = newest(async (n) => {
    const [image] = await api.look(panel.number, [found.images[n]]);
    paint(small, image);
    words.textContent = run.factors.map((one, k) => `${one.name} ${value(n, k)}`).join(", ");
  });

  function point(n) {
    if (n === at) return;
    at = n;
    draw();
    if (n >= 0) void look(n);
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  };
  const nearest = ([x, y]) => {
    let best = -1;
    let least = NEAR ** 2;
    dots.forEach(([a, b], n) => {
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < least) [best, least] = [n, distance];
    });
    return best;
  };

  async function pick() {
    inside = new Set(dots.flatMap((dot, n) => (within(dot, lasso) ? [n] : [])));
    lasso = [];
    draw();
    const chosen = [...inside];
    mean.hidden = !chosen.length;
    if (!chosen.length) {
      summary.textContent = "";
      picked.replaceChildren();
      return;
    }
    summary.textContent = `${chosen.length} images. ${telling(chosen)}`;
    await tried(async () => {
      const images = await api.look(panel.number, chosen.slice(0, PICKED).map((n) => found.images[n]));
      picked.replaceChildren(...images.map((image, n) => {
        const made = make("canvas", { role: "img", "aria-label": run.factors.map((one, k) => `${one.name} ${value(chosen[n], k)}`).join(", ") });
        paint(made, image);
        return made;
      }));
    });
  }

  /** What most of the chosen have in common, factor by factor. */
  function telling(chosen) {
    return varied.flatMap(({ factor: one, k }) => {
      const counts = new Map();
      for (const n of chosen) counts.set(found.factors[n][k], (counts.get(found.factors[n][k]) ?? 0) + 1);
      const [most, count] = [...counts].sort((a, b) => b[1] - a[1])[0];
      return count > chosen.length / 2 ? [`${one.name} ${one.values[most] ?? most} in ${percent(count / chosen.length)}`] : [];
    }).join("; ");
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    lasso = [place(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (lasso.length) {
      lasso.push(place(event));
      draw();
    } else point(nearest(place(event)));
  });
  canvas.addEventListener("pointerup", (event) => {
    const drawn = lasso.length > 8;
    if (drawn) void pick();
    else {
      lasso = [];
      inside = new Set();
      draw();
      const n = nearest(place(event));
      if (n >= 0) void panel.take(found.images[n]);
    }
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      point((at + step + dots.length) % dots.length);
    } else if (event.key === "Enter" && at >= 0) void panel.take(found.images[at]);
  });
  mean.addEventListener("click", () => {
    const rows = [...inside].map((n) => found.codes[n]);
    void panel.set(rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length));
  });
  select.addEventListener("change", colour);

  const shares = found.explained.map(percent).join(" and ");
  view.replaceChildren(make("div", { className: "map" },
    make("p", { className: "note" }, `The two directions in which codes vary most (${shares} of their variance). Point at an image to see it, ` +
      "click to take it, draw around some to pick them."),
    make("div", { className: "buttons" }, make("label", {}, "Coloured by ", select), mean), canvas, legend, hover, summary, picked));
  colour();
}

/** Whether a point lies in a polygon: a ray from it crosses the border an odd number of times. */
function within([x, y], border) {
  let odd = false;
  border.forEach(([a, b], n) => {
    const [c, d] = border[(n + border.length - 1) % border.length];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) odd = !odd;
  });
  return odd;
}
