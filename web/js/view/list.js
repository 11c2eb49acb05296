// list.js: the conversations, newest activity first.

import { h, fill, iconButton, icon, mark } from "../dom.js";
import { t, brief } from "../i18n.js";
import { VirtualList } from "../virtual.js";
import { curlOf } from "../curl.js";
import { Status } from "../skein/message.js";
import { ConvType } from "../model.js";
import { conversationMenu } from "./menus.js";
import { face, state, bones, terminal, switches, soon } from "./parts.js";
import { lineOf } from "./words.js";

export class ListPane {
  el;
  #chat;
  #options;
  #rows;
  #scroller;
  #search;
  #cursor = null; // conv_id the arrow keys are at
  #pressed = null; // conversation the pointer went down on: its row may be made anew before it comes up
  #note = h("div");
  #me = h("bdi");
  #node = h("span.node", { data: { test: "node" } });
  #current = null;
  #archived = false; // the archive is shown
  #archive = h("button.archive", { type: "button", hidden: true, data: { test: "archive" }, on: { click: () => { this.#archived = !this.#archived; this.show(); } } });
  #stops;

  // options: context (for curl lines), open(conv), create(), leave(), again(), wire()
  constructor(chat, options) {
    this.#chat = chat;
    this.#options = options;
    this.#search = h("input", {
      type: "search", "aria-label": t("searchConversations"), placeholder: t("search"),
      on: {
        input: () => this.show(),
        keydown: (e) => {
          if (e.key === "Escape") { this.#search.value = ""; this.show(); this.#options.escape(); }
          if (e.key === "ArrowDown" || e.key === "Enter") { e.preventDefault(); this.#scroller.focus(); this.#move(0); if (e.key === "Enter") this.#enter(); }
        },
      },
    });
    this.#scroller = h("div.scroller", {
      tabindex: "0", role: "listbox", "aria-label": t("conversations"),
      on: {
        keydown: (e) => this.#keys(e),
        pointerdown: (e) => { this.#pressed = e.button === 0 ? this.#under(e) : null; },
        pointerup: (e) => { if (this.#pressed && this.#under(e) === this.#pressed) this.#pick(this.#pressed); },
        click: (e) => { if (e.detail === 0) this.#pick(this.#under(e)); }, // by a screen reader, not a pointer
        contextmenu: (e) => this.#menu(e),
      },
    });
    this.el = h("nav.pane.list", { "aria-label": t("conversations") },
      h("header",
        h("div.me", mark(), h("h1.ellipsis", { title: chat.me }, this.#me), this.#node),
        iconButton("plus", t("newConversation"), options.create, { data: { test: "new" } })),
      h("label.search", icon("search"), this.#search, h("kbd", "/")),
      this.#scroller, this.#note, this.#archive,
      h("div.foot", switches(options.again), h("span.spring"),
        iconButton("wire", t("wireShow"), options.wire, { class: "icon-button only-phone", data: { test: "wire-phone" } }),
        iconButton("leave", t("leave"), options.leave)));
    this.#rows = new VirtualList(this.#scroller, {
      key: (c) => c.id,
      sig: (c) => JSON.stringify([chat.title(c), this.#last(c), c.active && brief(c.active), c === this.#current, c.id === this.#cursor, c.type,
        c.unread, c.mentions, c.pin, c.mute, this.#online(c)]),
      render: (c) => this.#row(c),
      estimate: 68,
      onMove: () => this.#glance(),
    });
    const show = soon(() => this.show());
    this.#stops = [chat.on("conversations", show), chat.on("people", show), chat.on("typing", show)];
    this.show();
  }

  set current(conv) {
    this.#current = conv;
    if (conv) this.#cursor = conv.id;
    this.show();
  }

  stop() { for (const stop of this.#stops) stop(); }
  search() { this.#search.focus(); this.#search.select(); }
  focus() { this.#scroller.focus(); }

  show() {
    const q = this.#search.value.trim();
    const away = this.#chat.list("", true).length;
    if (away === 0) this.#archived = false;
    const list = this.#chat.list(q, this.#archived);
    this.#archive.hidden = away === 0;
    this.#archive.setAttribute("aria-pressed", String(this.#archived));
    fill(this.#archive, icon(this.#archived ? "back" : "archive"), t(this.#archived ? "archiveLeave" : "archived", { n: away }));
    fill(this.#me, this.#chat.name(this.#chat.me));
    const { node } = this.#chat;
    this.#node.hidden = !node;
    this.#node.title = node && t("node", { name: node });
    fill(this.#node, node);
    this.#scroller.hidden = list.length === 0;
    this.#note.hidden = list.length > 0;
    this.#rows.set(list);
    if (list.length > 0) { fill(this.#note); return; }
    this.#note.className = "scroller";
    if (!this.#chat.loaded) fill(this.#note, bones(5));
    else if (q) fill(this.#note, state(h("p", t("nothingFound", { q }))));
    else fill(this.#note, h("div.only-phone", this.welcome()));
  }

  // welcome is what the talk shows while there is no conversation to show.
  welcome() {
    const { context, create } = this.#options;
    if (!this.#chat.loaded) return bones(0);
    if (this.#chat.conversations.size) {
      return state(mark("mark big"), h("h2", t("chooseConversation")), h("p", t("chooseHow")));
    }
    const other = context.clients.find((id) => id !== this.#chat.me) ?? "Jerry";
    const line = curlOf("conv.create", { to_client_ids: [other], conv_type: ConvType.private }, context);
    return state(mark("mark big"), h("h2", t("noConversations")), h("p", t("noConversationsHow")),
      h("button.button.primary", { type: "button", on: { click: create } }, icon("plus"), t("newConversation")),
      line && h("p.small", t("fromTerminal")), line && terminal(line));
  }

  // last is what the row tells of a conversation: who, and what.
  #last(conv) {
    const chat = this.#chat;
    const draft = conv !== this.#current && chat.drafts.of(conv).trim();
    const typing = chat.typing.who(conv.id);
    if (typing.length) return { line: conv.type === ConvType.private ? t("typingShort") : t("typing", { name: chat.name(typing[0]) }), mark: "typing" };
    if (draft) return { who: t("draft"), line: draft.slice(0, 200).replace(/\s+/g, " "), mark: "draft" };
    const m = conv.last;
    if (!m) return { line: t(["", "private", "temporary", "group", "room"][conv.type] ?? "") };
    const who = m.status !== Status.normal ? "" : m.from === chat.me ? t("you") : conv.type === ConvType.private ? "" : chat.name(m.from);
    return { who, line: lineOf(chat, m) };
  }

  #online(conv) { return this.#chat.presence.online(this.#chat.other(conv)); }

  #row(conv) {
    const title = this.#chat.title(conv);
    const { who, line, mark: kind } = this.#last(conv);
    return h(`div.conv${conv === this.#current ? ".current" : ""}${conv.id === this.#cursor ? ".cursor" : ""}`, {
      id: `conv-${conv.id}`, role: "option", "aria-selected": String(conv === this.#current), data: { conv: conv.id },
    },
    face(title, { group: conv.type !== ConvType.private, online: this.#online(conv) }),
    h("span.title", h("bdi.ellipsis", { title }, title),
      conv.mute && sign("mute", t("muted")), conv.pin && sign("pin", t("onTop"))),
    h("time", conv.active ? brief(conv.active) : ""),
    h("span.under",
      h(`span.last.ellipsis${kind ? `.${kind}` : ""}`, who && [h("bdi", who), ": "], h("bdi", line)),
      conv.mentions > 0 && badge("calls", t("mentioned", { n: conv.mentions }), "@"),
      conv.unread > 0 && badge(conv.mute ? "quiet" : "", t("unread", { n: conv.unread }), conv.unread > 999 ? "999+" : String(conv.unread), { test: "unread" })));
  }

  // menu opens by the pointer at a row, or by the key at the cursor.
  #menu(e) {
    const row = e.target.closest(".conv") ?? this.#scroller.querySelector(".conv.cursor");
    const conv = this.#chat.conversations.get(row?.dataset.conv);
    if (!conv) return;
    e.preventDefault();
    this.#pressed = null;
    conversationMenu(e.target.closest(".conv") ? { x: e.clientX, y: e.clientY } : row, { chat: this.#chat, conv });
  }

  #keys(e) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };
    if (e.key in moves) { e.preventDefault(); this.#move(moves[e.key]); }
    if (e.key === "Enter" || e.key === " ") { e.preventDefault(); this.#enter(); }
    if (e.key === "Escape") this.#options.escape();
  }

  #move(by) {
    const list = this.#rows.items;
    if (list.length === 0) return;
    const at = list.findIndex((c) => c.id === this.#cursor);
    const to = Math.min(list.length - 1, Math.max(0, at < 0 ? 0 : at + by));
    this.#cursor = list[to].id;
    this.#scroller.setAttribute("aria-activedescendant", `conv-${this.#cursor}`);
    this.#rows.set(list);
    this.#rows.reveal(this.#cursor);
  }

  // under is the conversation of the row an event is at.
  #under(e) { return this.#chat.conversations.get(e.target.closest(".conv")?.dataset.conv) ?? null; }

  #pick(conv) {
    this.#pressed = null;
    if (!conv) return;
    this.#cursor = conv.id;
    this.#options.open(conv);
  }

  #enter() {
    const conv = this.#chat.conversations.get(this.#cursor);
    if (conv) this.#options.open(conv);
  }

  #glance() {
    for (const row of this.#scroller.querySelectorAll(".conv")) {
      const conv = this.#chat.conversations.get(row.dataset.conv);
      if (conv) this.#chat.glance(conv);
    }
  }
}

// sign is a small mark beside a title.
function sign(name, label) { return h("span.sign", { role: "img", "aria-label": label, title: label }, icon(name)); }

function badge(kind, label, text, data) {
  return h(`span.badge${kind ? `.${kind}` : ""}`, { role: "img", "aria-label": label, title: label, data }, text);
}
