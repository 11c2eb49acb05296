// unsent.js: stores the messages of the outbox, so that they survive a reload or a crash of
// the page. Each message has its own key, so that several tabs of one client can share the
// store. If two tabs send the same message, the server stores it once, by its
// client_msg_id. No DOM.

const MOST = 100; // messages stored
const LARGEST = 64 << 10; // characters of a stored message

// UnsentStore stores entries of outbox.js in a storage such as localStorage. If that is full or
// forbidden, messages are lost with the page.
export class UnsentStore {
  #storage;
  #prefix;

  constructor(storage, ...owner) {
    this.#storage = storage;
    this.#prefix = ["skein.unsent", ...owner, ""].join(" ");
  }

  // all is the stored entries, oldest first.
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
