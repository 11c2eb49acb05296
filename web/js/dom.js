// dom.js: makes elements. It sets text only as text and never parses markup; the page's
// policy (trusted types) forbids that everywhere.

// h makes an element: h("button.plain", {title, on: {click}}, ...children).
// Children are nodes, texts, lists, or null.
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const el = document.createElement(tag || "div");
  if (classes.length) el.className = classes.join(" ");
  const isProps = props && typeof props === "object" && !(props instanceof Node) && !Array.isArray(props);
  if (isProps) setProps(el, props); else children.unshift(props);
  append(el, children);
  return el;
}

function setProps(el, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, fn] of Object.entries(value)) el.addEventListener(event, fn);
    } else if (name === "data") {
      Object.assign(el.dataset, value);
    } else if (name === "value" || name === "disabled" || name === "hidden") {
      el[name] = value;
    } else {
      el.setAttribute(name, value === true ? "" : value);
    }
  }
}

function append(el, children) {
  for (const child of children.flat(3)) {
    if (child === undefined || child === null || child === false) continue;
    el.append(child instanceof Node ? child : String(child));
  }
}

// fill replaces the children of an element.
export function fill(el, ...children) {
  el.replaceChildren();
  append(el, children);
  return el;
}

const SVG = "http://www.w3.org/2000/svg";

// Icons are strokes on a grid of 20.
const paths = {
  plus: "M10 4v12M4 10h12",
  send: "M10 16V4.5M5 9.5l5-5 5 5",
  image: "M3.5 4.5h13v11h-13zM3.5 13l3.5-3.5 3 3 2.5-2.5 4 4M12.5 7.5h.01",
  back: "M12 4.5L6.5 10l5.5 5.5",
  pause: "M7.5 5v10M12.5 5v10",
  play: "M7 4.5v11l8.5-5.5z",
  close: "M5 5l10 10M15 5L5 15",
  clear: "M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM5.5 5.5l9 9",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l3.5 3.5",
  wire: "M2.5 10h3l2-5 4 10 2.5-5h3.5",
  sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 2.5v1.5M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1.050 1.050M14.250 14.250l1.050 1.050M4.7 15.3l1.050-1.050M14.250 5.750l1.050-1.050",
  moon: "M15.5 11.5A6 6 0 0 1 8.5 4.5a6 6 0 1 0 7 7z",
  auto: "M10 3.5a6.5 6.5 0 1 0 0 13zM10 3.5a6.5 6.5 0 0 1 0 13",
  people: "M7.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM2.5 15.5c0-2.5 2-4 5-4s5 1.5 5 4M13 4.8a2.3 2.3 0 0 1 0 4.4M14.5 11.8c2 .4 3 1.7 3 3.7",
  leave: "M8 4H4.5v12H8M8.5 10h8M13.5 7l3 3-3 3",
  down: "M10 4.5v11M5 10.5l5 5 5-5",
  copy: "M7 7h9v9H7zM4 13V4h9",
  more: "M3.8 10a.7.7 0 1 0 1.4 0 .7.7 0 1 0-1.4 0M9.3 10a.7.7 0 1 0 1.4 0 .7.7 0 1 0-1.4 0M14.8 10a.7.7 0 1 0 1.4 0 .7.7 0 1 0-1.4 0",
  reply: "M8.5 5L4 9.5 8.5 14M4.5 9.5h6.5c3 0 5 1.8 5 5.5",
  edit: "M4 16l.7-3.2L13.2 4.3l2.5 2.5L7.2 15.3zM11.5 6l2.5 2.5",
  undo: "M7.5 4.5L4 8l3.5 3.5M4 8h7.5a4.3 4.3 0 0 1 0 8.5H8",
  bin: "M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.4L14.5 6M8.5 9v4.5M11.5 9v4.5",
  pin: "M7.5 3.5h5M8.5 3.5v5L6 11.5h8L11.5 8.5v-5M10 11.5v5",
  mute: "M5.5 13.5c1-1 1-2.5 1-4.5a3.5 3.5 0 0 1 7 0c0 2 0 3.5 1 4.5zM9 16h2M4 4l12 12",
  bell: "M5.5 13.5c1-1 1-2.5 1-4.5a3.5 3.5 0 0 1 7 0c0 2 0 3.5 1 4.5zM9 16h2",
  archive: "M3.5 4.5h13v3h-13zM4.5 7.5v8h11v-8M8 10.5h4",
  check: "M4.5 10.5l3.5 3.5 7.5-8",
  checks: "M2 10.5l3.5 3.5 7.5-8M9.5 13l1 1L18 6",
};

export function icon(name) {
  return svg("icon", "0 0 20 20", [{ d: paths[name] }]);
}

// mark is the flock: two lines of geese that meet in one.
export function mark(className = "mark") {
  return svg(className, "0 0 48 32", [
    { d: "M3 6q3.5-1 5.5 1.5Q11 5 14 6.5", class: "m3" },
    { d: "M12 13q3.5-1 5.5 1.5Q20 12 23 13.5", class: "m2" },
    { d: "M22 20.5q3.5-1 5.5 1.5 2.5-2.5 5.5-1", class: "m1" },
    { d: "M31 10q3-1 4.7 1.2 2-2.2 4.8-.9", class: "m2" },
    { d: "M38 3.5q2.5-.8 4 1 1.7-1.8 4-.8", class: "m3" },
  ]);
}

function svg(className, viewBox, shapes) {
  const el = document.createElementNS(SVG, "svg");
  el.setAttribute("class", className);
  el.setAttribute("viewBox", viewBox);
  el.setAttribute("aria-hidden", "true");
  for (const shape of shapes) {
    const path = document.createElementNS(SVG, "path");
    for (const [k, v] of Object.entries(shape)) path.setAttribute(k, v);
    el.append(path);
  }
  return el;
}

// button is an icon with a label for screen readers.
export function iconButton(name, label, click, props = {}) {
  return h("button.icon-button", { type: "button", "aria-label": label, title: label, on: { click }, ...props }, icon(name));
}

// copy puts text on the clipboard and reports whether it succeeded.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea.off-screen", { value: text, "aria-hidden": "true" });
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// httpURL returns the address if it is http or https, else null. Only such addresses in
// messages become links.
export function httpURL(text) {
  try {
    const url = new URL(text, location.origin);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

// withLinks turns a text into nodes, with links for its web addresses.
export function withLinks(text) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'，。；、）】》]+/g)) {
    const written = match[0].replace(/[.,;:!?)\]]+$/, "");
    const url = httpURL(written);
    if (!url) continue;
    out.push(text.slice(from, match.index), h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, written));
    from = match.index + written.length;
  }
  out.push(text.slice(from));
  return out;
}
