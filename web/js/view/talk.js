// talk.js: one conversation: its messages, and where one writes.

import { h, fill, iconButton, icon } from "../dom.js";
import { t } from "../i18n.js";
import { VirtualList } from "../virtual.js";
import { curlOf } from "../curl.js";
import { ConvType, MsgType, failure } from "../model.js";
import { state, bones, terminal, fault, say, soon } from "./parts.js";
import { message } from "./message.js";
import { Composer, pictures } from "./composer.js";

export class TalkPane {
  el;
  conv = null;
  #chat;
  #connection;
  #options;
  #rows;
  #scroller;
  #composer;
  #header = h("header");
  #note = h("div.scroller", { hidden: true });
  #body;
  #toEnd;
  #bones = bones(6);
  #new = 0;
  #error = null;
  #stops = [];
  #revision = new Map(); // key → times it was asked to be drawn again
  #live = h("div.off-screen", { role: "log", "aria-live": "polite" });

  // options: context, bar, back(), wire(), wireOn(), details(conv), empty() → element, escape()
  constructor(chat, connection, options) {
    this.#chat = chat;
    this.#connection = connection;
    this.#options = options;
    this.#scroller = h("div.scroller", { tabindex: "0", role: "region", data: { test: "messages" } });
    this.#bones.hidden = true;
    this.#toEnd = h("button.to-end", { type: "button", hidden: true, on: { click: () => this.#rows.toEnd() } });
    this.#body = h("div.body-of-talk", { data: { drop: t("dropHere") } }, this.#scroller, this.#bones, this.#toEnd);
    this.#composer = new Composer({
      send: (text) => { chat.say(this.conv, text); this.#rows.toEnd(); },
      picture: (file) => this.#picture(file),
      draft: (text) => { if (this.conv) this.conv.draft = text; },
      escape: options.escape,
    });
    this.el = h("main.pane.talk", { "aria-label": t("conversations") }, this.#header, options.bar.el, options.bar.live,
      this.#note, this.#body, this.#composer.el, this.#live);
    this.#dropping();
    this.#rows = new VirtualList(this.#scroller, {
      key: (row) => row.key,
      sig: (row) => this.#sig(row),
      render: (row) => message(row, {
        chat, conv: this.conv, online: connection.online, first: this.#isOrigin(row),
        again: (m) => { this.#revision.set(m.msg_id, 1); this.#show(); },
      }),
      estimate: 44, stick: true, overscan: 600,
      onTop: () => this.#older(),
      onMove: () => this.#edge(),
    });
    const show = soon(() => this.#show());
    const head = soon(() => this.#head());
    const listen = (...args) => this.#stops.push(chat.on(...args));
    listen("talk", (conv) => { if (conv === this.conv) show(); });
    listen("conversations", head);
    listen("people", () => { head(); show(); });
    listen("said", ({ conv, message: m }) => {
      if (conv !== this.conv) return;
      if (!this.#rows.following) { this.#new++; this.#edge(); }
      fill(this.#live, `${chat.name(m.from)}: ${m.type === MsgType.image ? t("pictureWord") : m.text ?? ""}`);
    });
    this.#stops.push(connection.on("state", ({ name }) => {
      if (!this.conv) return;
      show();
      if (name === "online" && this.#error) this.#enter();
    }));
    this.open(null);
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
    this.conv = conv;
    this.#error = null;
    this.#new = 0;
    this.#rows.reset();
    this.#head();
    this.#composer.el.hidden = this.#body.hidden = !conv;
    if (!conv) { this.#rows.set([]); return; }
    conv.current = true;
    this.#composer.load(conv.draft);
    this.#show();
    this.#enter();
  }

  async #enter() {
    const conv = this.conv;
    this.#error = null;
    this.#bones.hidden = Boolean(conv.log?.opened);
    try {
      await this.#chat.enter(conv);
    } catch (err) {
      if (conv === this.conv && !conv.log?.opened) this.#error = failure(err);
    } finally {
      if (conv === this.conv) { this.#bones.hidden = true; this.#show(); }
    }
  }

  #head() {
    const conv = this.conv;
    const { back, wire, wireOn, details } = this.#options;
    const wireButton = iconButton("wire", t(wireOn() ? "wireHide" : "wireShow"), () => { wire(); this.#head(); },
      { "aria-pressed": String(wireOn()), data: { test: "wire" } });
    if (!conv) {
      fill(this.#header, h("h2"), wireButton);
      this.#empty();
      return;
    }
    const title = this.#chat.title(conv);
    const kind = t(["", "private", "temporary", "group", "room"][conv.type] ?? "");
    fill(this.#header,
      iconButton("back", t("back"), back, { class: "icon-button only-phone", data: { test: "back" } }),
      h("h2", h("div.ellipsis", { title }, h("bdi", title)),
        h("span.sub.ellipsis", conv.type === ConvType.private ? kind : `${kind} · ${t("members", { n: conv.count })}`)),
      iconButton("people", t("details"), () => details(conv), { data: { test: "details" } }),
      wireButton);
    this.#scroller.setAttribute("aria-label", title);
    this.#composer.name(title);
  }

  #show() {
    const conv = this.conv;
    if (!conv) return;
    if (conv.gone) {
      this.#composer.el.hidden = this.#body.hidden = true;
      return this.#put(state(h("h2", t("gone")), h("p", t("goneHow"))));
    }
    const rows = this.#chat.rows(conv);
    if (rows.length) { this.#note.hidden = true; this.#body.hidden = false; }
    this.#rows.set(rows);
    if (rows.length) return;
    if (this.#error) {
      this.#body.hidden = true;
      return this.#put(state(h("h2", t("loadFailed")), fault(this.#error),
        h("button.button", { type: "button", on: { click: () => this.#enter() } }, t("tryAgain"))));
    }
    if (!conv.log?.opened) { this.#note.hidden = true; this.#body.hidden = false; return; }
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
    const entry = m.entry;
    return [row.own, row.day, row.starts, row.ends, m.seq > 0, m.status, this.#chat.name(m.from), entry?.state ?? "",
      entry?.state === "sending" && this.#connection.online, m.url, this.#isOrigin(row), this.#revision.get(m.msg_id)].join("|");
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
