// log.js: the messages of one conversation as far as they are known: dense by
// seq, each once, in order, however they came. No DOM.

import { Emitter } from "./emitter.js";
import { backoff } from "./errors.js";

// Behind by more than this, the log starts again from the newest page rather
// than fetch all of it.
const FAR = 2000;

// How long a gap may close by itself before it is fetched, in milliseconds.
const GRACE = 150;

// Log tells "change" whenever messages differ. fetch({after_seq|before_seq,
// limit}) is msg.list of the conversation: {data, has_more}.
export class Log extends Emitter {
  messages = []; // ascending, without gaps
  passing = []; // transient messages: no seq, `after` is the seq they came behind
  complete = false; // the oldest message there is, is here
  opened = false;
  #fetch;
  #page;
  #held = new Map(); // seq → message that came ahead of its turn
  #older = null;
  #repair = null;
  #wait;

  constructor({ fetch, page = 50, wait = (ms) => new Promise((r) => setTimeout(r, ms)) }) {
    super();
    this.#fetch = fetch;
    this.#page = page;
    this.#wait = wait;
  }

  get first() { return this.messages[0]?.seq ?? 0; }
  // ahead is the messages that wait for a gap before them, ascending.
  get ahead() { return ascending([...this.#held.values()].filter((m) => m.seq > this.last)); }
  get last() { return this.messages.at(-1)?.seq ?? 0; }

  // open loads the newest page. Safe to call again after a failure.
  async open() {
    const { data, has_more } = await this.#fetch({ before_seq: Number.MAX_SAFE_INTEGER, limit: this.#page });
    const page = ascending(data);
    const newer = this.messages.filter((m) => m.seq > (page.at(-1)?.seq ?? 0));
    this.messages = page;
    this.complete = !has_more;
    this.opened = true;
    for (const m of newer) this.#take(m);
    this.#drain();
    this.emit("change");
    await this.#fill();
  }

  // older loads the page before the first message; calls while one is under way
  // share it.
  older() {
    if (!this.opened || this.complete) return Promise.resolve();
    return (this.#older ??= (async () => {
      try {
        const { data, has_more } = await this.#fetch({ before_seq: this.first, limit: this.#page });
        const page = ascending(data).filter((m) => !this.first || m.seq < this.first);
        this.messages = [...page, ...this.messages];
        this.complete = !has_more || page.length === 0;
        this.emit("change");
      } finally {
        this.#older = null;
      }
    })());
  }

  // accept takes a message that came live or was just acked. One that is known
  // is ignored; one ahead of its turn waits while the gap is fetched.
  accept(message) {
    const seq = Number(message.seq) || 0;
    if (!seq) {
      if (this.passing.some((m) => m.msg_id === message.msg_id)) return;
      this.passing.push({ ...message, after: this.last });
      this.emit("change");
      return;
    }
    if (!this.opened) { this.#held.set(seq, message); return; }
    if (!this.#take(message)) return;
    this.#drain();
    this.emit("change");
    this.#fill().catch(() => {}); // the next catchUp mends what this could not
  }

  // catchUp fetches what was said since the last message; call it whenever the
  // line has come back.
  async catchUp() {
    if (!this.opened) return this.open();
    for (let got = 0; ;) {
      const { data, has_more } = await this.#fetch({ after_seq: this.last, limit: 200 });
      this.#merge(data);
      got += data.length;
      if (!has_more || data.length === 0) break;
      if (got >= FAR) return this.#restart();
    }
    await this.#fill();
  }

  async #restart() {
    this.messages = [];
    this.#held.clear();
    await this.open();
  }

  // take appends the next message or holds one that is ahead. False: known.
  #take(message) {
    if (message.seq <= this.last || this.#held.has(message.seq)) return false;
    if (this.messages.length === 0 ? this.complete && message.seq > 1 : message.seq > this.last + 1) {
      this.#held.set(message.seq, message);
    } else {
      this.messages.push(message);
    }
    return true;
  }

  #drain() {
    const next = [];
    let seq = this.last;
    for (const known of [...this.#held.keys()]) if (known <= seq) this.#held.delete(known);
    while (this.#held.has(seq + 1)) {
      next.push(this.#held.get(++seq));
      this.#held.delete(seq);
    }
    this.messages.push(...next);
  }

  // merge appends a page that starts behind the last message. The server's list
  // is the truth: a seq it leaves out is gone, not late.
  #merge(page) {
    const fresh = ascending(page).filter((m) => m.seq > this.last);
    if (fresh.length === 0) return false;
    this.messages.push(...fresh);
    this.#drain();
    this.emit("change");
    return true;
  }

  // fill fetches until nothing is held; one at a time.
  #fill() {
    if (this.#held.size === 0) return this.#repair ?? Promise.resolve();
    return (this.#repair ??= (async () => {
      try {
        // What is missing is mostly on its way: the answer to one's own message
        // overtakes those of others.
        await this.#wait(GRACE);
        this.#drain();
        for (let misses = 0; this.#held.size > 0;) {
          const { data } = await this.#fetch({ after_seq: this.last, limit: 200 });
          if (this.#merge(data)) { misses = 0; continue; }
          this.#drain();
          if (this.#held.size === 0) break;
          // A copy can arrive before the list shows it; ask again, then believe the copy.
          if (++misses < 3) { await this.#wait(backoff(misses)); continue; }
          this.#merge([...this.#held.values()]);
        }
      } finally {
        this.#repair = null;
      }
    })());
  }
}

function ascending(page) {
  return [...page].sort((a, b) => a.seq - b.seq);
}
