// shelf.js: what the outbox holds, kept over a reload or a crash of the page. Each
// message has a place of its own, so that several tabs of one client share it: what
// two of them send is still one message, by its client_msg_id. No DOM.

const MOST = 100; // messages kept
const LARGEST = 64 << 10; // characters of one

// Shelf keeps entries of outbox.js in a storage such as localStorage. Where that is
// full or forbidden, messages live as long as the page.
export class Shelf {
  #storage;
  #prefix;

  constructor(storage, ...owner) {
    this.#storage = storage;
    this.#prefix = ["skein.unsent", ...owner, ""].join(" ");
  }

  // all is what is kept, oldest first.
  all() {
    const entries = [];
    for (const key of this.#keys()) {
      try {
        const entry = JSON.parse(this.#storage.getItem(key));
        if (typeof entry.conv_id === "string" && entry.body && key === this.#prefix + entry.client_msg_id) entries.push(entry);
        else this.#storage.removeItem(key);
      } catch { this.#remove(key); }
    }
    return entries.sort((a, b) => a.at - b.at || a.n - b.n);
  }

  put({ conv_id, client_msg_id, body, at, n, state, error }) {
    const failed = state === "failed" ? { code: error.code, message: error.message } : undefined;
    const text = JSON.stringify({ conv_id, client_msg_id, body, at, n, failed });
    const key = this.#prefix + client_msg_id;
    const keys = this.#keys();
    if (text.length > LARGEST || (!keys.includes(key) && keys.length >= MOST)) return;
    try { this.#storage.setItem(key, text); } catch { /* this page only */ }
  }

  take({ client_msg_id }) { this.#remove(this.#prefix + client_msg_id); }

  #remove(key) { try { this.#storage.removeItem(key); } catch { /* it was never kept */ } }

  #keys() {
    try {
      return Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i)).filter((k) => k?.startsWith(this.#prefix));
    } catch { return []; }
  }
}
