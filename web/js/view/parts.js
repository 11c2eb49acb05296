// parts.js: pieces that several views use.

import { h, fill, iconButton, copy, icon } from "../dom.js";
import { t, lang, setLang, otherLang, explain } from "../i18n.js";

// face is a round (group: square) sign with the first letter of a name; with online
// it wears a dot.
export function face(name, { group = false, tiny = false, online = false } = {}) {
  const letter = [...new Intl.Segmenter().segment(name.trim())][0]?.segment ?? "?";
  const sign = h(`span.face${group ? ".group" : ""}${tiny ? ".tiny" : ""}`, { "aria-hidden": "true" }, letter.toLocaleUpperCase());
  if (!online) return sign;
  return h("span.with-dot", sign, h("span.dot", { role: "img", "aria-label": t("online"), title: t("online") }));
}

// terminal shows a command with a button that copies it.
export function terminal(line) {
  return h("div.terminal", { dir: "ltr" },
    h("pre", { tabindex: "0", role: "region", "aria-label": "curl" }, line),
    iconButton("copy", t("copy"), () => copied(line)));
}

// soon is fn put off to the next moment, so that a burst of changes is drawn once.
export function soon(fn, ms = 16) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; fn(); }, ms);
  };
}

let toast = null;
let toastTimer = 0;

// say shows a line for a moment, to eyes and to screen readers.
export function say(text, ms = 1600) {
  toast ??= h("div.toast", { role: "status" });
  (document.querySelector("dialog[open]") ?? document.body).append(toast);
  fill(toast, text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.remove(); }, ms);
}

export async function copied(text) { say(t((await copy(text)) ? "copied" : "notCopied")); }

// fault is an error with its code, and what may be done.
export function fault(err, ...help) {
  return h("div.fault", { role: "alert" },
    h("div", h("b", explain(err)), err.code ? [" ", h("span.code", t("code", { code: err.code }))] : null), ...help);
}

export function state(...children) { return h("div.state", ...children); }

// bones stand in for what is being loaded; wait 300 ms before showing them.
export function bones(n) {
  return h("div.skeleton", { "aria-hidden": "true" }, Array.from({ length: n }, () => h("div.bone")));
}

const themes = ["auto", "light", "dark"];
const themeIcon = { auto: "auto", light: "sun", dark: "moon" };

// switches are the buttons for theme and language. again is called after a
// change of language.
export function switches(again) {
  const now = () => document.documentElement.dataset.theme ?? "auto";
  const label = () => t("theme", { v: t(now()) });
  const theme = iconButton(themeIcon[now()], label(), () => {
    const next = themes[(themes.indexOf(now()) + 1) % themes.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try { localStorage.setItem("skein.theme", next); } catch { /* for this visit only */ }
    fill(theme, icon(themeIcon[next]));
    theme.title = label();
    theme.setAttribute("aria-label", label());
  }, { data: { test: "theme" } });
  const language = h("button.icon-button.small", {
    type: "button", "aria-label": t("language"), title: t("language"), lang: otherLang(), data: { test: "lang" },
    on: { click: () => { setLang(otherLang()); again(); } },
  }, lang === "en" ? "中" : "EN");
  return [theme, language];
}
