// menu.js: a list of what may be done, beside what it is done to.

import { h, icon } from "../dom.js";
import { t, explain } from "../i18n.js";
import { failure } from "../model.js";
import { say } from "./parts.js";

// menu opens at an element. items are {name (icon), label, act, danger} or null;
// top is an element above them whose buttons are part of the menu. act may be
// async: what it fails with is said.
export function menu(anchor, { label, top, items }) {
  const back = document.activeElement;
  const close = () => el.hidePopover();
  const el = h("div.menu", {
    popover: "auto", role: "menu", "aria-label": label,
    on: {
      keydown: (e) => keys(e, el),
      click: (e) => { if (e.target.closest("button")) close(); },
      toggle: (e) => {
        if (e.newState !== "closed") return;
        if (el.contains(document.activeElement) || document.activeElement === document.body) back?.focus?.({ preventScroll: true });
        el.remove();
      },
    },
  }, top, items.filter(Boolean).map(({ name, label: text, act, danger }) => h(`button.item${danger ? ".danger" : ""}`, {
    type: "button", role: "menuitem", tabindex: "-1", data: { act: name }, on: { click: () => attempt(act) },
  }, icon(name), text)));
  document.body.append(el);
  el.showPopover();
  place(el, anchor);
  el.querySelector("button")?.focus({ preventScroll: true });
}

// attempt runs what was asked for, and says why it failed; it resolves to nothing then.
export async function attempt(act) {
  try {
    return await act();
  } catch (err) {
    const why = failure(err);
    say([explain(why), why.code ? t("code", { code: why.code }) : ""].filter(Boolean).join(" "), 4000);
    return undefined;
  }
}

// place puts the menu below the anchor, or above it where there is no room; inside
// the window in any case.
function place(el, anchor) {
  const at = anchor instanceof Element ? anchor.getBoundingClientRect() : { left: anchor.x, right: anchor.x, top: anchor.y, bottom: anchor.y };
  const { offsetWidth: width, offsetHeight: height } = el;
  const left = at.left + width + 8 <= innerWidth ? at.left : at.right - width;
  const top = at.bottom + height + 8 <= innerHeight ? at.bottom + 4 : at.top - height - 4;
  el.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  el.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
}

function keys(e, el) {
  e.stopPropagation(); // Esc closes the menu and nothing else
  const buttons = [...el.querySelectorAll("button")];
  const moves = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  if (e.key === "Escape" || e.key === "Tab") { e.preventDefault(); el.hidePopover(); }
  if (!(e.key in moves)) return;
  e.preventDefault();
  const at = buttons.indexOf(document.activeElement) + moves[e.key];
  const last = buttons.length - 1;
  buttons[at < 0 ? (at === -Infinity ? 0 : last) : at > last ? (at === Infinity ? last : 0) : at]?.focus();
}
