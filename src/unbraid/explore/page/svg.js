// Drawings.

/**
 * An element of a drawing.
 * @param {string} tag @param {Object<string, string|number>} attributes @param {...Node} children
 */
export function draw(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}
