// message.js: one message as it is shown.

import { h, httpURL, icon, iconButton, withLinks } from "../dom.js";
import { t, clock, full, day, explain } from "../i18n.js";
import { Status, mentions } from "../skein/message.js";
import { ConvType, MsgType } from "../model.js";
import { attempt } from "./menu.js";
import { messageMenu } from "./menus.js";
import { readers } from "./readers.js";
import { lineOf, recalledBy } from "./words.js";

const shown = new Set(); // addresses on other hosts that the reader asked to see

// message makes the element of a row of Chat.rows. context is {chat, conv, online,
// first, again(m), compose: {reply(m), edit(m), rewrite(text)}, reveal(m)}.
export function message(row, context) {
  const { m } = row;
  return h("div",
    context.first && h("div.origin", t("start")),
    row.day && h("div.day", { role: "separator" }, day(m.ctime)),
    m.status === Status.recalled ? recalled(m, context) : spoken(row, context));
}

function spoken(row, context) {
  const { chat, conv } = context;
  const { m, own, starts, ends } = row;
  const status = m.entry?.state ?? "sent";
  const open = (anchor) => messageMenu(anchor, { chat, conv, m, compose: context.compose });
  const more = m.seq > 0 && iconButton("more", t("messageActions"), (e) => open(e.currentTarget),
    { class: "icon-button act", tabindex: "-1", "aria-haspopup": "menu" });
  return h(`div.message${own ? ".own" : ""}${starts ? ".starts" : ""}${ends ? ".ends" : ""}${mentions(m, chat.me) ? ".calls" : ""}.${status}`, {
    role: "article", tabindex: "-1", "aria-label": `${own ? t("you") : chat.name(m.from)}, ${clock(m.ctime)}`,
    data: { seq: m.seq || "", test: "message" },
    on: {
      contextmenu: (e) => { if (m.seq && !native(e)) { e.preventDefault(); open(e.clientX ? { x: e.clientX, y: e.clientY } : more); } },
      keydown: (e) => { if (m.seq && e.key === "Enter" && e.target === e.currentTarget) { e.preventDefault(); open(more); } },
    },
  },
  starts && !own && conv.type !== ConvType.private && h("div.sender.ellipsis", { title: m.from }, h("bdi", chat.name(m.from))),
  h("div.said", body(m, context),
    m.version > 1 && h("span.edited", t("edited")),
    m.pin && h("span.edited", { role: "img", "aria-label": t("pinned"), title: t("pinned") }, icon("pin")), more),
  m.reactions?.length > 0 && reactionsOf(m, context),
  meta(row, context));
}

// native reports whether the browser's own menu is wanted: on a link, a picture,
// or words that were marked.
function native(e) {
  return e.target.closest("a, img") || !getSelection().isCollapsed;
}

function recalled(m, { chat, compose }) {
  const text = m.from === chat.me ? chat.acts.recalled(m) : "";
  return h("div.message.recalled", { role: "article", tabindex: "-1", data: { seq: m.seq, test: "message" } },
    h("span", recalledBy(chat, m)),
    text && h("button.link", { type: "button", on: { click: () => compose.rewrite(text) } }, t("rewrite")));
}

function reactionsOf(m, { chat, conv }) {
  return h("div.reactions", m.reactions.map((r) => {
    const { emoji, count, client_ids: ids } = r;
    const names = (ids ?? []).map((id) => (id === chat.me ? t("you") : chat.name(id))).join(", ") + (count > (ids?.length ?? 0) ? " …" : "");
    return h("button.reaction", {
      type: "button", "aria-pressed": String(chat.acts.reacted(r)), "aria-label": `${emoji} ${count}: ${names}`, title: names, data: { emoji },
      on: { click: () => attempt(() => chat.acts.react(conv, m, emoji)) },
    }, h("span", emoji), h("span", String(count)));
  }));
}

function quote(m, { chat, conv, reveal }) {
  if (!m.reply_to || !conv.log) return null;
  const original = conv.log.quote(m.reply_to);
  if (!original) return h("div.quote", h("span.ellipsis", t("quoteGone")));
  if (original.from) chat.people.meet(original.from);
  return h("button.quote", { type: "button", "aria-label": t("toQuoted"), on: { click: () => reveal(original) } },
    h("b.ellipsis", h("bdi", original.from === chat.me ? t("you") : chat.name(original.from))),
    h("span.ellipsis", h("bdi", original.status === Status.recalled ? t("recalledShort") : lineOf(chat, original))));
}

function body(m, context) {
  const quoted = quote(m, context);
  if (m.type === MsgType.image) return picture(m, context);
  if (typeof m.text === "string" && m.text !== "") return h("div.bubble", { dir: "auto" }, quoted, withLinks(m.text));
  const url = m.url && httpURL(m.url);
  return h("div.bubble.quiet", quoted, t("kindOf", { type: m.type }),
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

function meta({ m, own, ends }, { chat, conv, online }) {
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
    own && (entry ? h("span", { data: { test: "state" } }, t(online ? "sending" : "waiting")) : m.seq > 0 && ticks(m, { chat, conv })));
}

// reached is how far a message of one's own has come: sent, received or read, and
// by how many.
export function reached(conv, m) {
  const by = conv.readBy(m.seq);
  if (by) return { state: "read", by };
  return { state: conv.readBy(m.seq, "received") ? "received" : "sent", by: 0 };
}

function ticks(m, { chat, conv }) {
  const { state, by } = reached(conv, m);
  const sign = icon(state === "sent" ? "check" : "checks");
  if (conv.type === ConvType.private) {
    return h(`span.ticks.${state}`, { role: "img", "aria-label": t(state), title: t(state), data: { test: "state", state } }, sign);
  }
  return h(`button.ticks.${state}`, {
    type: "button", title: t("whoRead"), data: { test: "state", state }, on: { click: () => readers(chat, conv, m) },
  }, sign, h(by ? "span" : "span.off-screen", by ? t("readBy", { n: by }) : t(state)));
}
