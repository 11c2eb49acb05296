// wire.js: each frame and call as it passes.

import { h, fill, iconButton, icon } from "../dom.js";
import { t, bytes, exact } from "../i18n.js";
import { VirtualList } from "../virtual.js";
import { jsonTree } from "../json.js";
import { curlOfEntry } from "../curl.js";
import { matches } from "../tape.js";
import { copied, state, soon } from "./parts.js";

export class WirePane {
  el;
  #tape;
  #options;
  #rows;
  #scroller;
  #filter;
  #open = new Set(); // n of the entries that are unfolded
  #cursor = 0;
  #counts = h("span.counts");
  #pause;
  #held = h("div.held", { role: "status", hidden: true });
  #note = h("div.scroller", { hidden: true });

  // options: context (for curl lines), back(), escape()
  constructor(tape, options) {
    this.#tape = tape;
    this.#options = options;
    this.#filter = h("input", {
      type: "search", "aria-label": t("filterLabel"), placeholder: t("filter"), spellcheck: "false", autocapitalize: "none",
      on: {
        input: () => this.#draw(),
        keydown: (e) => {
          if (e.key === "Escape") { this.#filter.value = ""; this.#draw(); options.escape(); }
          if (e.key === "ArrowDown") { e.preventDefault(); this.#scroller.focus(); }
        },
      },
    });
    this.#pause = iconButton("pause", t("pause"), () => tape.pause(!tape.paused), { "aria-pressed": "false", data: { test: "pause" } });
    this.#scroller = h("div.scroller", {
      tabindex: "0", role: "listbox", "aria-label": t("wire"), data: { test: "frames" }, on: { keydown: (e) => this.#keys(e) },
    });
    this.el = h("aside.pane.wire", { "aria-label": t("wire") },
      h("header",
        iconButton("back", t("back"), options.back, { class: "icon-button only-narrow", data: { test: "wire-back" } }),
        h("h2", t("wire"), this.#counts),
        this.#pause, iconButton("clear", t("clear"), () => { this.#open.clear(); tape.clear(); })),
      h("label.search", icon("search"), this.#filter),
      this.#held, this.#scroller, this.#note);
    this.#rows = new VirtualList(this.#scroller, {
      key: (e) => e.n, estimate: 30, stick: true,
      sig: (e) => `${this.#open.has(e.n)}|${e.status}|${e.n === this.#cursor}`,
      render: (e) => this.#entry(e),
    });
    this.stop = tape.on("change", soon(() => this.#draw(), 30));
    this.#draw();
  }

  search() { this.#filter.focus(); this.#filter.select(); }

  #draw() {
    const { entries, paused, missed } = this.#tape;
    const filter = this.#filter.value;
    const list = filter.trim() ? entries.filter((e) => matches(e, filter)) : [...entries];
    this.#scroller.hidden = list.length === 0;
    this.#note.hidden = list.length > 0;
    this.#rows.set(list);
    const out = entries.filter((e) => e.dir === "out" && e.kind !== "socket").length;
    const inward = entries.filter((e) => e.dir === "in" && e.kind !== "socket").length;
    fill(this.#counts, `↑${out} ↓${inward}`);
    this.#pause.setAttribute("aria-pressed", String(paused));
    const label = t(paused ? "resume" : "pause");
    this.#pause.title = label;
    this.#pause.setAttribute("aria-label", label);
    fill(this.#pause, icon(paused ? "play" : "pause"));
    this.#held.hidden = !paused;
    fill(this.#held, t("paused", { n: missed }));
    if (list.length === 0) fill(this.#note, state(h("p", t(entries.length ? "wireNone" : "wireEmpty"))));
  }

  #entry(e) {
    const open = this.#open.has(e.n);
    const bad = e.code !== undefined && e.code !== 0 && (e.kind !== "socket" || e.code !== 1000);
    const mute = e.type === "ping" || e.type === "pong" || e.kind === "socket";
    const dir = e.kind === "rest" ? "↑" : e.kind === "socket" ? "·" : e.dir === "out" ? "↑" : "↓";
    const spoken = e.kind === "socket" ? "" : t(e.dir === "out" ? "sentFrame" : "receivedFrame");
    const type = e.kind === "socket" ? t(e.type === "open" ? "opened" : "closed") : e.type;
    const aside = [];
    if (bad) aside.push(` ${e.code}`);
    if (e.id != null) aside.push(h("span.id", ` #${e.id}`));
    if (e.status !== undefined && !bad) aside.push(h("span.id", ` ${e.status || "✕"}`));
    const line = h("button.entry-line", {
      type: "button", tabindex: "-1", "aria-expanded": String(open), on: { click: () => this.#toggle(e) },
      "aria-label": `${spoken} ${type} ${bad ? e.code : ""} ${bytes(e.size)} ${exact(e.at)}`,
    },
    h("span.arrow", { "aria-hidden": "true" }, dir),
    h("span.type", { title: e.type }, type, aside),
    h("span.size", e.kind === "socket" ? "" : e.ms !== undefined ? `${Math.round(e.ms)} ms` : bytes(e.size)),
    h("span.time", exact(e.at)));
    return h(`div.frame.${e.kind === "socket" ? "event" : e.dir}${bad ? ".bad" : ""}${mute ? ".mute" : ""}${open ? ".open" : ""}${e.n === this.#cursor ? ".cursor" : ""}`, {
      id: `frame-${e.n}`, role: "option", "aria-selected": String(open), data: { type: e.type, dir: e.dir, kind: e.kind },
    }, line, open && this.#more(e));
  }

  #more(e) {
    const curl = curlOfEntry(e, this.#options.context());
    const facts = [bytes(e.size), e.ms !== undefined && `${Math.round(e.ms)} ms`].filter(Boolean).join(" · ");
    const act = (label, text) => h("button.link", { type: "button", on: { click: () => copied(text) } }, label);
    return h("div.more",
      h("div.acts", h("span.ms", e.kind === "socket" ? (e.code ? t("code", { code: e.code }) : "") : facts),
        curl && act(t("copyCurl"), curl),
        e.kind === "frame" && act(t("copyFrame"), e.text),
        e.kind === "rest" && e.text && act(t("copyAnswer"), e.text)),
      e.kind === "rest" ? [
        jsonTree({ ...e.headers, ...(e.file && { file: e.file }) }),
        e.answer !== undefined && [h("div.part", `↓ ${e.status}`), jsonTree(e.answer)],
      ] : e.kind === "frame" ? (e.frame ? jsonTree(e.frame) : h("pre.json", e.text)) : e.reason && h("div", e.reason));
  }

  #toggle(e) {
    this.#cursor = e.n;
    if (!this.#open.delete(e.n)) {
      this.#open.add(e.n);
      this.#rows.hold();
    }
    this.#draw();
    this.#rows.reveal(e.n);
  }

  #keys(e) {
    if (e.target !== this.#scroller) return;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };
    const list = this.#rows.items;
    if (e.key in moves && list.length) {
      e.preventDefault();
      const at = list.findIndex((x) => x.n === this.#cursor);
      const to = Math.min(list.length - 1, Math.max(0, at < 0 ? list.length - 1 : at + moves[e.key]));
      this.#cursor = list[to].n;
      this.#scroller.setAttribute("aria-activedescendant", `frame-${this.#cursor}`);
      this.#draw();
      this.#rows.reveal(this.#cursor);
    }
    if (e.key === "Enter" || e.key === " ") {
      e.preventDefault();
      const entry = list.find((x) => x.n === this.#cursor);
      if (entry) this.#toggle(entry);
    }
    if (e.key === "Escape") this.#options.escape();
  }
}
