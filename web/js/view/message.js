// message.js: one message as it is shown.

import { h, httpURL, withLinks } from "../dom.js";
import { t, clock, full, day, explain } from "../i18n.js";
import { MsgType } from "../model.js";

const shown = new Set(); // addresses on other hosts that the reader asked to see

// message makes the element of a row of Chat.rows.
export function message(row, { chat, conv, online, first, again }) {
  const { m, own, starts, ends } = row;
  const status = m.entry?.state ?? "sent";
  const el = h(`div.message${own ? ".own" : ""}${starts ? ".starts" : ""}${ends ? ".ends" : ""}.${status}`, {
    role: "article", "aria-label": `${own ? t("you") : chat.name(m.from)}, ${clock(m.ctime)}`, data: { seq: m.seq || "", test: "message" },
  },
  starts && !own && conv.type !== 1 && h("div.sender.ellipsis", { title: m.from }, h("bdi", chat.name(m.from))),
  body(m, { chat, again }),
  meta(row, { chat, online }));
  return h("div",
    first && h("div.origin", t("start")),
    row.day && h("div.day", { role: "separator" }, day(m.ctime)), el);
}

function body(m, context) {
  if (m.status === 3) return h("div.bubble.quiet", t("recalled"));
  if (m.status === 2) return h("div.bubble.quiet", t("deleted"));
  if (m.type === MsgType.image) return picture(m, context);
  if (typeof m.text === "string" && m.text !== "") return h("div.bubble", { dir: "auto" }, withLinks(m.text));
  const url = m.url && httpURL(m.url);
  return h("div.bubble.quiet", t("kindOf", { type: m.type }),
    url && [" · ", h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, url.pathname.split("/").pop() || url.host)]);
}

// A picture of our own server is shown; one over https elsewhere, when asked for,
// since to load it tells that host who reads; anything else is only named.
function picture(m, { chat, again }) {
  const label = t("pictureOf", { name: m.from === chat.me ? t("you") : chat.name(m.from) });
  if (m.entry && !m.url && !m.preview) return h("div.bubble.quiet", m.attr?.name || t("pictureWord"));
  const url = m.url && httpURL(m.url);
  const ours = url && url.origin === location.origin && url.pathname.startsWith(chat.storage);
  if (!m.preview && !ours) {
    if (!url || url.protocol !== "https:") return h("div.bubble.quiet", t("pictureWord"));
    if (!shown.has(url.href)) {
      return h("div.bubble", h("button.link", {
        type: "button", on: { click: () => { shown.add(url.href); again(m); } },
      }, t("showFrom", { host: url.host })));
    }
  }
  const img = h("img", { alt: label, decoding: "async", referrerpolicy: "no-referrer" });
  const { width, height } = size(m.attr);
  if (width) { img.width = width; img.height = height; }
  img.addEventListener("error", () => img.closest(".bubble")?.replaceWith(h("div.bubble.quiet", t("pictureGone"))));
  img.src = m.preview ?? url.href;
  return h("div.bubble.picture", url && (ours || shown.has(url.href))
    ? h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", "aria-label": label }, img) : img);
}

// size is what the sender says of the picture, to keep its place while it loads.
function size(attr) {
  const width = Math.round(Number(attr?.width));
  const height = Math.round(Number(attr?.height));
  if (!(width > 0 && height > 0 && width < 20_000 && height < 20_000)) return {};
  const scale = Math.min(1, 360 / width, 280 / height);
  return { width: Math.max(48, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) };
}

function meta({ m, own, ends }, { chat, online }) {
  const entry = m.entry;
  if (entry?.state === "failed") {
    return h("div.meta", { role: "alert" },
      h("span.bad", t("failed")), entry.error.code ? h("span.bad.mono", String(entry.error.code)) : null,
      h("button.link", { type: "button", on: { click: () => chat.retry(entry) } }, t("retry")),
      h("button.link", { type: "button", on: { click: () => chat.discard(entry) } }, t("discard")),
      h("span.why", explain(entry.error)));
  }
  if (!ends) return null;
  return h("div.meta",
    h("time", { datetime: new Date(m.ctime).toISOString(), title: full(m.ctime) }, clock(m.ctime)),
    m.transient && h("span", t("transient")),
    own && h("span", { data: { test: "state" } }, t(entry ? (online ? "sending" : "waiting") : "sent")));
}
