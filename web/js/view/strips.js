// strips.js: the lines above and below a talk: what is pinned, and who writes.

import { h, fill, icon } from "../dom.js";
import { t } from "../i18n.js";
import { lineOf } from "./words.js";

// pinned shows the newest pin in an element made for it; reveal(m) goes there.
export function pinned(el, { chat, conv, reveal }) {
  const pins = conv?.pins ?? [];
  el.hidden = pins.length === 0;
  const m = pins[0];
  const sig = m ? `${m.msg_id} ${m.change_seq} ${pins.length} ${chat.name(m.from)}` : "";
  if (el.dataset.sig === sig) return;
  el.dataset.sig = sig;
  if (!m) return fill(el);
  fill(el, h("button", { type: "button", "aria-label": `${t("pinned")}: ${lineOf(chat, m)}`, on: { click: () => reveal(m) } },
    icon("pin"), h("b", h("bdi", m.from === chat.me ? t("you") : chat.name(m.from))),
    h("span.ellipsis", h("bdi", lineOf(chat, m))), pins.length > 1 && h("span.muted", `+${pins.length - 1}`)));
}

// typing says who writes, in a line that is always there.
export function typing(el, { chat, conv }) {
  const who = conv ? chat.typing.who(conv.id).filter((id) => id !== chat.me) : [];
  const text = who.length === 0 ? "" : who.length > 2 ? t("typingMany", { n: who.length })
    : t(who.length === 1 ? "typing" : "typingTwo", { name: chat.name(who[0]), other: chat.name(who[1] ?? "") });
  if (el.textContent !== text) fill(el, text);
}
