// json.js: shows a JSON value as a tree of elements, coloured by type. Large lists and
// objects are folded, and made only when the user opens them.

import { h } from "./dom.js";

const FOLD_ABOVE = 4; // a nested list with more entries starts folded
const MOST = 200; // entries made at a time

export function jsonTree(value) {
  return h("div.json", { dir: "ltr" }, node(value, 0));
}

function node(value, depth, name) {
  const label = name === undefined ? null : [h("span.k", name), h("span.p", ": ")];
  if (value === null || typeof value !== "object") {
    return h("div.line", label, leaf(value));
  }
  const list = Array.isArray(value);
  const keys = list ? value.map((_, i) => i) : Object.keys(value);
  const [open, close] = list ? "[]" : "{}";
  if (keys.length === 0) return h("div.line", label, h("span.p", open + close));

  const body = h("div.nest");
  const make = (from) => {
    for (const key of keys.slice(from, from + MOST)) body.append(node(value[key], depth + 1, String(key)));
    if (keys.length <= from + MOST) return;
    const more = h("button.link", { type: "button", on: { click: () => { more.remove(); make(from + MOST); } } }, `… ${keys.length - from - MOST}`);
    body.append(more);
  };
  if (depth === 0) {
    make(0);
    return h("div.line", label, h("span.p", open), body, h("span.p", close));
  }
  const details = h("details", h("summary", label, h("span.p", `${open}${keys.length}${close}`)), body);
  const fill = () => { if (details.open && !body.firstChild) make(0); };
  details.addEventListener("toggle", fill);
  if (depth === 1 && (!list || keys.length <= FOLD_ABOVE)) { details.open = true; fill(); }
  return details;
}

function leaf(value) {
  if (typeof value === "string") return h(/\s/.test(value) ? "span.s" : "span.s.solid", { dir: "auto" }, JSON.stringify(value));
  if (typeof value === "number") return h("span.n", String(value));
  return h("span.b", String(value));
}
