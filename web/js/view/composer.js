// composer.js: where one writes.

import { h, fill, iconButton, icon } from "../dom.js";
import { t } from "../i18n.js";

const MAX_TEXT = 16 << 10; // bytes, the server's limit
const utf8 = new TextEncoder();

export class Composer {
  el;
  #area;
  #go;
  #over = h("span.over", { role: "status", hidden: true });
  #about = h("div.about", { hidden: true });
  #cancel = null; // of what the text is about
  #options;

  // options: send(text), picture(file), draft(text), escape(), previous() (ArrowUp
  // in an empty field)
  constructor(options) {
    this.#options = options;
    this.#area = h("textarea", {
      id: "write", rows: "1", "aria-label": t("write"), placeholder: t("write"), dir: "auto", enterkeyhint: "send",
      on: {
        input: () => { this.#fit(); options.draft(this.#area.value); },
        keydown: (e) => this.#key(e),
        paste: (e) => {
          const files = pictures(e.clipboardData);
          if (files.length) { e.preventDefault(); files.forEach(options.picture); }
        },
      },
    });
    const file = h("input", {
      type: "file", hidden: true, accept: "image/png,image/jpeg,image/gif,image/webp,image/heic", multiple: true,
      data: { test: "file" },
      on: { change: () => { [...file.files].forEach(options.picture); file.value = ""; } },
    });
    this.#go = h("button.icon-button.go", { type: "submit", "aria-label": t("send"), title: t("send") }, icon("send"));
    this.el = h("form.composer", { on: { submit: (e) => { e.preventDefault(); this.#send(); } } },
      this.#about,
      iconButton("image", t("picture"), () => file.click()), file,
      h("div.entry", this.#over, this.#area), this.#go);
    this.#fit();
  }

  get text() { return this.#area.value; }

  focus() { this.#area.focus(); }

  load(text) {
    this.#area.value = text;
    this.#fit();
  }

  // name says to whom one writes.
  name(name) { this.#area.placeholder = t("writeTo", { name }); }

  // about shows what the text is about: a message that is answered or edited.
  // cancel is called when the writer gives that up. Without arguments it is over.
  about({ name, label, line, cancel } = {}) {
    this.#cancel = cancel ?? null;
    this.#about.hidden = !cancel;
    if (!cancel) return fill(this.#about);
    fill(this.#about, icon(name), h("div.what", h("b", label), h("span.ellipsis", h("bdi", line))),
      iconButton("close", t("cancel"), cancel, { data: { test: "about-cancel" } }));
  }

  // Enter sends, except while an input method is composing with it.
  #key(e) {
    if (e.key === "Escape") {
      if (!this.#cancel) return this.#options.escape();
      e.stopPropagation();
      this.#cancel();
    }
    if (e.key === "ArrowUp" && this.#area.value === "" && !this.#cancel) { e.preventDefault(); this.#options.previous(); }
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return;
    e.preventDefault();
    this.#send();
  }

  #send() {
    const text = this.#area.value;
    if (text.trim() === "" || this.#tooLong()) return;
    this.load("");
    this.#options.send(text.replace(/^\s*\n|\s+$/g, "")); // blank lines around it are slips
    this.focus();
  }

  #tooLong() { return Math.max(0, utf8.encode(this.#area.value).length - MAX_TEXT); }

  #fit() {
    const over = this.#area.value.length > MAX_TEXT / 4 ? this.#tooLong() : 0;
    this.#over.hidden = over === 0;
    if (over) fill(this.#over, t("tooLong", { n: over }));
    this.#go.disabled = over > 0 || this.#area.value.trim() === "";
    this.#area.style.height = "auto";
    if (this.#area.scrollHeight) this.#area.style.height = `${Math.min(168, this.#area.scrollHeight + 2)}px`;
  }
}

// pictures are the images among what was pasted or dropped.
export function pictures(transfer) {
  return [...(transfer?.files ?? [])].filter((f) => f.type.startsWith("image/"));
}
