// drafts.js: what was begun and not sent, kept with the conversation so that one's
// other devices have it as well. No DOM.

const PAUSE = 1500; // milliseconds without a stroke before the server is told
const MOST = 4 << 10; // bytes, the server's limit

const utf8 = new TextEncoder();

export class Drafts {
  #save;
  #local = new Map(); // conv → text that the server does not have yet
  #timers = new Map(); // conv → timer

  // save(conv, text) tells the server.
  constructor(save) { this.#save = save; }

  of(conv) { return this.#local.get(conv) ?? conv.draft ?? ""; }

  write(conv, text) {
    this.#local.set(conv, text);
    clearTimeout(this.#timers.get(conv));
    this.#timers.set(conv, setTimeout(() => this.flush(conv), PAUSE));
  }

  // flush tells the server now: the talk was left, or the page is.
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
