// talk.js: one conversation: its messages, and where one writes.

import { h, fill, iconButton, icon } from "../dom.js";
import { t, clock, brief } from "../i18n.js";
import { VirtualList } from "../virtual.js";
import { curlOf } from "../curl.js";
import { Status } from "../skein/message.js";
import { ConvType, MsgType, failure } from "../model.js";
import { state, bones, terminal, fault, say, soon } from "./parts.js";
import { message, reached } from "./message.js";
import { Composer, pictures } from "./composer.js";
import { Writing } from "./writing.js";
import { attempt } from "./menu.js";
import { conversationMenu } from "./menus.js";
import { pinned, typing } from "./strips.js";
import { lineOf } from "./words.js";

export class TalkPane {
  el;
  conv = null;
  #chat;
  #connection;
  #options;
  #rows;
  #scroller;
  #composer;
  #writing;
  #header = h("header");
  #headed = ""; // what the header shows
  #pins = h("div.pinned", { hidden: true, data: { test: "pinned" } });
  #typing = h("div.typing", { role: "status", data: { test: "typing" } });
  #note = h("div.scroller", { hidden: true });
  #body;
  #toEnd;
  #bones = bones(6);
  #new = 0;
  #error = null;
  #entering = null; // conversation that is being loaded
  #stops = [];
  #revision = new Map(); // key → times it was asked to be drawn again
  #spoken = ""; // msg_id of what #live says
  #live = h("div.off-screen", { role: "log", "aria-live": "polite" });

  // options: context, bar, back(), wire(), wireOn(), details(conv), empty() → element, escape()
  constructor(chat, connection, options) {
    this.#chat = chat;
    this.#connection = connection;
    this.#options = options;
    this.#scroller = h("div.scroller", { tabindex: "0", role: "region", data: { test: "messages" }, on: { keydown: (e) => this.#keys(e) } });
    this.#bones.hidden = true;
    this.#toEnd = h("button.to-end", { type: "button", hidden: true, on: { click: () => this.#rows.toEnd() } });
    this.#body = h("div.body-of-talk", { data: { drop: t("dropHere") } }, this.#scroller, this.#bones, this.#toEnd);
    this.#composer = new Composer({
      send: (text) => this.#send(text),
      picture: (file) => this.#picture(file),
      draft: (text) => this.#writing.wrote(text),
      previous: () => this.#writing.previous(),
      escape: options.escape,
    });
    this.#writing = new Writing(chat, this.#composer);
    this.el = h("main.pane.talk", { "aria-label": t("conversations") }, this.#header, options.bar.el, options.bar.live,
      this.#pins, this.#note, this.#body, this.#typing, this.#composer.el, this.#live);
    this.#dropping();
    this.#rows = new VirtualList(this.#scroller, {
      key: (row) => row.key,
      sig: (row) => this.#sig(row),
      render: (row) => message(row, {
        chat, conv: this.conv, online: connection.online, first: this.#isOrigin(row),
        again: (m) => { this.#revision.set(m.msg_id, 1); this.#show(); },
        compose: this.#writing, reveal: (m) => this.#reveal(m),
      }),
      estimate: 44, stick: true, overscan: 600,
      onTop: () => this.#older(),
      onMove: () => this.#edge(),
    });
    this.#listen();
    this.open(null);
  }

  #listen() {
    const chat = this.#chat;
    const show = soon(() => this.#show());
    const head = soon(() => this.#head());
    const on = (...args) => this.#stops.push(chat.on(...args));
    on("talk", (conv) => { if (conv === this.conv) show(); });
    on("conversations", head);
    on("people", () => { head(); show(); });
    on("typing", (conv) => { if (conv === this.conv) typing(this.#typing, { chat, conv }); });
    on("said", ({ conv, message: m }) => {
      if (conv !== this.conv) return;
      if (!this.#rows.following) { this.#new++; this.#edge(); }
      this.#spoken = m.msg_id;
      fill(this.#live, `${chat.name(m.from)}: ${lineOf(chat, m)}`);
    });
    this.#stops.push(this.#connection.on("state", ({ name }) => {
      if (!this.conv) return;
      show();
      if (name === "online" && this.#error) this.#enter();
    }));
    const seen = () => { if (document.hidden) this.#writing.rest(); else this.#seen(); };
    document.addEventListener("visibilitychange", seen);
    this.#stops.push(() => document.removeEventListener("visibilitychange", seen));
  }

  focus() { this.#composer.focus(); }

  // stop ends a pane that is replaced.
  stop() {
    for (const stop of this.#stops) stop();
    this.#body.remove();
  }

  // open shows a conversation, or with null the invitation to choose one.
  open(conv) {
    if (this.conv) this.conv.current = false;
    this.#writing.turn(conv);
    this.conv = conv;
    this.#error = null;
    this.#new = 0;
    this.#rows.reset();
    this.#head();
    this.#composer.el.hidden = this.#typing.hidden = this.#body.hidden = !conv;
    pinned(this.#pins, { conv });
    typing(this.#typing, { chat: this.#chat, conv });
    if (!conv) { this.#rows.set([]); return; }
    conv.current = true;
    this.#show();
    this.#enter();
  }

  async #enter() {
    const conv = this.conv;
    this.#error = null;
    this.#entering = conv;
    this.#bones.hidden = Boolean(conv.log?.opened);
    try {
      await this.#chat.enter(conv);
    } catch (err) {
      if (conv === this.conv && !conv.log?.opened) this.#error = failure(err);
    } finally {
      if (this.#entering === conv) this.#entering = null;
      if (conv === this.conv) { this.#bones.hidden = true; this.#show(); }
    }
  }

  #head() {
    const conv = this.conv;
    const { back, wire, wireOn, details } = this.#options;
    const title = conv ? this.#chat.title(conv) : "";
    const sub = conv ? this.#sub(conv) : "";
    const shows = JSON.stringify([conv?.id, title, sub, wireOn()]);
    if (shows === this.#headed) return conv ? undefined : this.#empty();
    this.#headed = shows; // a header made anew would take the button from under the pointer
    const wireButton = iconButton("wire", t(wireOn() ? "wireHide" : "wireShow"), () => { wire(); this.#head(); },
      { "aria-pressed": String(wireOn()), data: { test: "wire" } });
    if (!conv) {
      fill(this.#header, h("h2"), wireButton);
      this.#empty();
      return;
    }
    fill(this.#header,
      iconButton("back", t("back"), back, { class: "icon-button only-phone", data: { test: "back" } }),
      h("h2", h("div.ellipsis", { title }, h("bdi", title)), h("span.sub.ellipsis", sub)),
      iconButton("people", t("details"), () => details(conv), { data: { test: "details" } }),
      iconButton("more", t("conversationActions"), (e) => conversationMenu(e.currentTarget, { chat: this.#chat, conv }),
        { "aria-haspopup": "menu", data: { test: "conversation" } }),
      wireButton);
    this.#scroller.setAttribute("aria-label", title);
    this.#composer.name(title);
  }

  // sub is the line below the title: what kind it is, and whether the other is there.
  #sub(conv) {
    const kind = t(["", "private", "temporary", "group", "room"][conv.type] ?? "");
    if (conv.type !== ConvType.private) return `${kind} · ${t("members", { n: conv.count })}`;
    const presence = this.#chat.presence.of(this.#chat.other(conv));
    if (presence?.online) return `${kind} · ${t("online")}`;
    if (!presence?.last_seen) return kind;
    const at = brief(presence.last_seen);
    return `${kind} · ${t("lastSeen", { at: at === clock(presence.last_seen) ? at : `${at} ${clock(presence.last_seen)}` })}`;
  }

  #show() {
    const conv = this.conv;
    if (!conv) return;
    pinned(this.#pins, { chat: this.#chat, conv, reveal: (m) => this.#reveal(m) });
    if (conv.gone) {
      this.#composer.el.hidden = this.#typing.hidden = this.#body.hidden = this.#pins.hidden = true;
      return this.#put(state(h("h2", t("gone")), h("p", t("goneHow"))));
    }
    this.#writing.look();
    this.#unsay();
    const rows = this.#chat.rows(conv);
    if (rows.length) { this.#note.hidden = true; this.#body.hidden = false; }
    this.#rows.set(rows);
    if (rows.length) return;
    if (this.#error) {
      this.#body.hidden = true;
      return this.#put(state(h("h2", t("loadFailed")), fault(this.#error),
        h("button.button", { type: "button", on: { click: () => this.#enter() } }, t("tryAgain"))));
    }
    if (!conv.log?.opened) {
      this.#note.hidden = true;
      this.#body.hidden = false;
      // It began anew: too much was missed, or the server's history is another one.
      if (this.#entering !== conv && this.#connection.online) this.#enter();
      return;
    }
    this.#body.hidden = true;
    const other = conv.members?.find((id) => id !== this.#chat.me) ?? this.#chat.me;
    const line = curlOf("msg.send", { conv_id: conv.id, from_client: other, type: MsgType.text, text: "HELLO !" }, this.#options.context);
    this.#put(state(h("h2", t("nothingSaid")), h("p", t("nothingSaidHow")), line && terminal(line)));
  }

  #put(el) {
    this.#note.hidden = false;
    fill(this.#note, el);
  }

  #empty() {
    this.#put(this.#options.empty());
  }

  #sig(row) {
    const { m } = row;
    const { entry } = m;
    const { conv } = this;
    const quoted = m.reply_to && conv.log?.quote(m.reply_to);
    return [row.own, row.day, row.starts, row.ends, m.seq > 0, m.status, m.change_seq, m.by, this.#chat.name(m.from), entry?.state ?? "",
      entry?.state === "sending" && this.#connection.online, m.url, this.#isOrigin(row), this.#revision.get(m.msg_id),
      m.reply_to && (quoted ? [quoted.change_seq, quoted.status, this.#chat.name(quoted.from)] : ""),
      row.own && row.ends && Object.values(reached(conv, m))].join("|");
  }

  #isOrigin(row) {
    const log = this.conv?.log;
    return Boolean(log?.complete && log.messages[0] && row.m === log.messages[0]);
  }

  async #older() {
    const log = this.conv?.log;
    if (!log?.opened || log.complete || !this.#connection.online) return;
    try { await log.older(); } catch { /* asked again with the next movement */ }
  }

  #edge() {
    const away = this.conv && !this.#rows.following;
    if (!away) this.#new = 0;
    this.#toEnd.hidden = !away;
    if (away) fill(this.#toEnd, icon("down"), this.#new ? t("newBelow", { n: this.#new }) : t("toEnd"));
    this.#seen();
  }

  // unsay takes back what was read out and is recalled, or deleted, since.
  #unsay() {
    const spoken = this.#spoken && this.conv.log?.find(this.#spoken);
    if (!spoken || spoken.status === Status.normal) return;
    this.#spoken = "";
    fill(this.#live);
  }

  // seen moves the reading position: where the end of the talk is in sight.
  #seen() {
    if (!this.conv || document.hidden || !this.#rows.following || this.#scroller.clientHeight === 0) return;
    this.#chat.reads(this.conv);
  }

  #send(text) {
    this.#writing.send(text);
    this.#rows.toEnd();
  }

  // reveal goes to a message, and marks it for a moment.
  async #reveal(m) {
    const { conv } = this;
    const here = await attempt(() => conv.log.reach(m.seq));
    if (conv !== this.conv) return;
    const row = here && this.#chat.rows(conv).find((r) => r.m.seq === m.seq);
    if (!row) return say(t("notHere"));
    this.#show();
    this.#rows.hold();
    this.#go(row.key);
    this.#rows.element(row.key)?.querySelector(".message")?.classList.add("target");
  }

  // go brings a row into sight and puts the focus on it.
  #go(key) {
    this.#rows.reveal(key);
    this.#rows.element(key)?.querySelector(".message")?.focus({ preventScroll: true });
  }

  // Up and down go from message to message, Enter opens the menu of one.
  #keys(e) {
    const at = e.target.closest(".message");
    if (!["ArrowUp", "ArrowDown"].includes(e.key) || (e.target !== this.#scroller && e.target !== at)) return;
    e.preventDefault();
    const { items } = this.#rows;
    const now = at ? items.findIndex((row) => this.#rows.element(row.key)?.contains(at)) : items.length;
    const next = items[Math.max(0, now + (e.key === "ArrowUp" ? -1 : 1))];
    if (next) this.#go(next.key);
    else this.#composer.focus();
  }

  async #picture(file) {
    const conv = this.conv;
    if (!conv) return;
    const preview = URL.createObjectURL(file);
    const img = new Image();
    img.src = preview;
    let about = {};
    try {
      await img.decode();
      about = { width: img.naturalWidth, height: img.naturalHeight, preview };
    } catch { URL.revokeObjectURL(preview); /* a kind this browser cannot show; the server decides */ }
    this.#chat.show(conv, file, about);
    if (conv === this.conv) this.#rows.toEnd();
  }

  #dropping() {
    const on = (name, fn) => this.#body.addEventListener(name, fn);
    const off = () => this.#body.classList.remove("dropping");
    on("dragover", (e) => {
      if (!this.conv || ![...e.dataTransfer.types].includes("Files")) return;
      e.preventDefault();
      this.#body.classList.add("dropping");
    });
    on("dragleave", off);
    on("drop", (e) => {
      e.preventDefault();
      off();
      const files = pictures(e.dataTransfer);
      if (files.length) files.forEach((f) => this.#picture(f));
      else say(t("fix4601"));
    });
  }
}
