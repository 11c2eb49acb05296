// drafts.js: stores unsent text with the conversation on the server, so that the other
// devices of the client have it too. No DOM.

const PAUSE = 1500; // milliseconds without a keystroke before the text is stored
const MOST = 4 << 10; // bytes, the server's limit

const utf8 = new TextEncoder();

export class Drafts {
  #save;
  #local = new Map(); // conv → text that is not stored yet
  #timers = new Map(); // conv → timer

  // save(conv, text) stores the text on the server.
  constructor(save) { this.#save = save; }

  of(conv) { return this.#local.get(conv) ?? conv.draft ?? ""; }

  write(conv, text) {
    this.#local.set(conv, text);
    clearTimeout(this.#timers.get(conv));
    this.#timers.set(conv, setTimeout(() => this.flush(conv), PAUSE));
  }

  // flush stores the text now: the user leaves the conversation or the page.
  async flush(conv) {
    clearTimeout(this.#timers.get(conv));
    this.#timers.delete(conv);
    const text = this.#local.get(conv);
    if (text === undefined || utf8.encode(text).length > MOST) return;
    try {
      if (text !== (conv.draft ?? "")) await this.#save(conv, text);
      if (this.#local.get(conv) === text) this.#local.delete(conv);
    } catch { /* it stays here; the next stroke tries again */ }
  }
}
