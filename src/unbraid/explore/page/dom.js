// Small helpers for elements.

/**
 * An element with attributes and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Object<string, any>} [attributes] @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Bytes of C x H x W planes to what a canvas takes. @param {Uint8Array|Uint8ClampedArray} bytes @param {number[]} shape */
export function painted(bytes, [count, channels, height, width]) {
  const plane = height * width;
  return Array.from({ length: count }, (_, n) => {
    const image = new ImageData(width, height);
    const start = n * channels * plane;
    for (let p = 0; p < plane; p++) {
      for (let c = 0; c < 3; c++) image.data[4 * p + c] = bytes[start + (channels === 3 ? c : 0) * plane + p];
      image.data[4 * p + 3] = 255;
    }
    return image;
  });
}

/** Bytes of their text in base64. @param {string} packed */
export const unpacked = (packed) => Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));

/** The class of one of several things that are told apart by colour, as style.css has them. @param {number} n */
export const tone = (n) => `tone${n % 6}`;

/** Show an image in a canvas. @param {HTMLCanvasElement} canvas @param {ImageData} image */
export function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Files that are dropped on an element. @param {HTMLElement} target @param {(file: File) => void} take */
export function drops(target, take) {
  target.addEventListener("dragover", (event) => { event.preventDefault(); target.classList.add("drop"); });
  target.addEventListener("dragleave", () => target.classList.remove("drop"));
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("drop");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}

/** A button that opens a picture, and what it needs. @param {string} label @param {(file: File) => void} take */
export function opener(label, take) {
  const file = make("input", { type: "file", accept: "image/*", className: "hidden", tabIndex: -1, "aria-label": label });
  file.addEventListener("change", () => {
    if (file.files.length) take(file.files[0]);
    file.value = ""; // the same file may be chosen again
  });
  const button = make("button", { type: "button" }, label);
  button.addEventListener("click", () => file.click());
  return [button, file];
}

/** A number from a standard normal distribution. */
export const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/** The name of a latent. @param {number} index */
export const latent = (index) => "z" + String(index).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]);

/** A share as percents. @param {number|null} share */
export const percent = (share) => (share === null ? "–" : `${Math.round(100 * share)}%`);

/** Say something to the reader. @param {string} text @param {boolean} [trouble] */
export function say(text, trouble = false) {
  const status = document.getElementById("status");
  status.textContent = text;
  status.className = trouble ? "trouble" : "";
}

/** Do something that may fail, and say so if it does; false is for what is no longer asked for. @param {() => Promise<void|false>} work */
export async function tried(work) {
  try {
    if ((await work()) !== false && document.getElementById("status").className) say("");
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
  }
}

/**
 * Only the newest of many calls counts: while one runs, the others wait, and all but the last are forgotten.
 * @param {(...values: any[]) => Promise<void>} work
 */
export function newest(work) {
  let running = false;
  let waiting = null;
  return async function next(...values) {
    waiting = values;
    if (running) return;
    running = true;
    while (waiting) {
      const now = waiting;
      waiting = null;
      await tried(() => work(...now));
    }
    running = false;
  };
}
