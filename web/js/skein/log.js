// log.js: the known messages of one conversation, in the order of seq and without gaps or
// duplicates, whatever the order in which they arrive. Each message is in its newest state,
// whatever the order in which changes arrive. No DOM.

import { Emitter } from "./emitter.js";
import { backoff } from "./errors.js";
import { newer } from "./message.js";

// If the log is behind by more messages than this, it starts again at the newest page.
export const FAR = 2000;

// How long the log waits for missing messages before it fetches them, in milliseconds.
const GRACE = 150;

// How many changed copies of messages that are not loaded the log keeps, to apply them when
// the messages are loaded.
const COPIES = 500;

// How often the log asks again for a message that was pushed but is missing in answers.
const MISSES = 3;

// Log emits "change" when its messages change. Messages and changes have the form of
// message.js. fetch({after_seq|before_seq, limit}) is msg.list of the
// conversation: {data, has_more}; changes({after_change, limit}) is changes:
// {data, has_more, last_change}; get(msg_id) is msg.get.
export class Log extends Emitter {
  messages = []; // ascending, without gaps
  passing = []; // transient messages: they have no seq; `after` is the last seq before them
  complete = false; // the oldest message is loaded
  opened = false;
  changed = 0; // every change up to this change_seq is applied
  #floor = 0; // the client may not see messages up to this seq
  #held = new Map(); // seq → message that arrived before an earlier one
  #early = new Set(); // change_seqs that arrived before an earlier one; their messages are updated
  #copies = new Map(); // msg_id → newest copy of a message that is not loaded
  #quoted = new Map(); // msg_id → quoted message that is not loaded; null: requested
  #opening = null;
  #older = null;
  #repair = null;
  #mend = null;
  #options;

  constructor(options) {
    super();
    this.#options = {
      page: 50, changes: async () => ({ data: [], has_more: false }), get: () => Promise.reject(new Error("no get")),
      wait: (ms) => new Promise((r) => setTimeout(r, ms)), ...options,
    };
    this.#floor = options.floor ?? 0;
  }

  get first() { return this.messages[0]?.seq ?? 0; }
  get last() { return this.messages.at(-1)?.seq ?? this.#floor; }
  // ahead is the messages that wait for earlier ones, ascending.
  get ahead() { return ascending([...this.#held.values()].filter((m) => m.seq > this.last)); }

  // open loads the newest page. since is an earlier last_change of the conversation. It may
  // be called again after a failure. Concurrent calls share one request.
  open(since = 0) {
    return (this.#opening ??= this.#open(since).finally(() => { this.#opening = null; }));
  }

  async #open(since) {
    const { data, has_more } = await this.#options.fetch({ before_seq: Number.MAX_SAFE_INTEGER, limit: this.#options.page });
    const had = new Map(this.messages.map((m) => [m.seq, m]));
    const page = ascending(data).filter((m) => m.seq > this.#floor);
    const later = this.messages.filter((m) => m.seq > (page.at(-1)?.seq ?? 0));
    this.messages = page.map((m) => newer(newer(had.get(m.seq), this.#held.get(m.seq)), this.#latest(m)));
    this.complete = !has_more;
    this.opened = true;
    this.changed = Math.max(this.changed, since);
    for (const m of later) this.#take(m);
    this.#drain();
    this.#advance();
    this.emit("change");
    await Promise.all([this.#fill(), this.#fillChanges()]);
  }

  // older loads the page before the first message. Concurrent calls share one request.
  older() {
    if (!this.opened || this.complete) return Promise.resolve();
    return (this.#older ??= (async () => {
      try {
        const first = this.first;
        const { data, has_more } = await this.#options.fetch({ before_seq: first, limit: this.#options.page });
        if (first !== this.first) return; // the log was restarted or cleared meanwhile
        const page = ascending(data).filter((m) => (!first || m.seq < first) && m.seq > this.#floor).map((m) => this.#latest(m));
        this.messages = [...page, ...this.messages];
        this.complete = !has_more || page.length === 0;
        this.emit("change");
      } finally {
        this.#older = null;
      }
    })());
  }

  // accept adds a message that was pushed or acknowledged. It ignores a known message. A
  // message after a gap waits until the gap is fetched.
  accept(message) {
    const seq = Number(message.seq) || 0;
    if (!seq) {
      if (this.passing.some((m) => m.msg_id === message.msg_id)) return;
      this.passing.push({ ...message, after: this.last });
      this.emit("change");
      return;
    }
    if (!this.opened) { this.#held.set(seq, message); return; }
    if (!this.#take(this.#latest(message))) return;
    this.#drain();
    this.emit("change");
    this.#fill().catch(() => {}); // the next catchUp fetches what is still missing
  }

  // change applies a change that was pushed. It updates the message at once, because copies
  // may arrive in any order. If earlier changes are missing, it fetches them.
  change(change) {
    if (change.message) this.copy(change.message);
    if (change.change_seq <= this.changed) return;
    this.#early.add(change.change_seq);
    if (!this.opened) return;
    this.#advance();
    this.#fillChanges().catch(() => {}); // as above
  }

  // copy applies a message of an answer, if it is newer.
  copy(message) {
    const { seq, msg_id } = message;
    if (!seq || seq <= this.#floor) return;
    const at = this.#place(seq);
    const quoted = this.#quoted.get(msg_id);
    if (at >= 0) this.messages[at] = newer(this.messages[at], message);
    else if (this.#held.has(seq)) this.#held.set(seq, newer(this.#held.get(seq), message));
    else this.#keep(newer(this.#copies.get(msg_id), message));
    if (quoted) this.#quoted.set(msg_id, newer(quoted, message));
    this.emit("change");
  }

  // find is the message with an id, if it is loaded.
  find(msg_id) { return this.messages.find((m) => m.msg_id === msg_id) ?? null; }

  // quote is the message that another one replies to. If it is not loaded, quote requests
  // it once, and returns null until it arrives, or always if the request fails.
  quote(msg_id) {
    const here = this.messages.findLast((m) => m.msg_id === msg_id);
    if (here) return here;
    if (!this.#quoted.has(msg_id)) {
      this.#quoted.set(msg_id, null);
      this.#options.get(msg_id).then((m) => {
        this.#quoted.set(msg_id, newer(m, this.#copies.get(msg_id)));
        this.emit("change");
      }).catch((err) => { if (err.kind !== "refused") this.#quoted.delete(msg_id); });
    }
    return this.#quoted.get(msg_id);
  }

  // reach loads older pages until the message with this seq is loaded. It returns false if
  // there is no such message.
  async reach(seq) {
    for (let first = -1; this.first > seq && !this.complete && first !== this.first;) {
      first = this.first;
      await this.older();
    }
    return this.#place(seq) >= 0;
  }

  // clear drops the messages up to a seq: the client cleared them or joined after them.
  clear(floor) {
    if (!(floor > this.#floor)) return;
    this.#floor = floor;
    const before = this.messages.length;
    this.messages = this.messages.filter((m) => m.seq > floor);
    this.passing = this.passing.filter((m) => m.after > floor);
    for (const seq of [...this.#held.keys()]) if (seq <= floor) this.#held.delete(seq);
    this.#quoted.clear();
    if (this.opened && (before === 0 || this.messages.length < before)) this.complete = true;
    this.emit("change");
  }

  // range is the request to msg.ranges that brings the log up to date. It is null if nothing
  // is missing, or too much: see restart.
  range({ last_seq, last_change }) {
    if (!this.opened) return null;
    const range = {};
    if (last_seq > this.last) range.after_seq = this.last;
    if (last_change > this.changed) range.after_change = this.changed;
    return Object.keys(range).length ? range : null;
  }

  // apply applies an answer of msg.ranges, and reports whether more must be requested.
  apply({ data = [], has_more, changes = [], more_changes, last_change, floor_seq }, asked) {
    this.clear(floor_seq ?? 0);
    this.#merge(data);
    if (asked.after_change !== undefined) this.#mergeChanges(changes, more_changes, last_change);
    this.#fill().catch(() => {});
    return Boolean(has_more || more_changes);
  }

  // catchUp fetches new messages and changes, for clients that do not use sync.js.
  async catchUp(since) {
    if (!this.opened) return this.open(since);
    for (let got = 0; ;) {
      const { data, has_more } = await this.#options.fetch({ after_seq: this.last, limit: 200 });
      this.#merge(data);
      got += data.length;
      if (!has_more || data.length === 0) break;
      if (got >= FAR) return this.restart(since);
    }
    for (let more = true; more;) more = await this.#moreChanges();
    await this.#fill();
  }

  // restart starts again at the newest page.
  async restart(since = 0) {
    this.messages = [];
    this.#held.clear();
    this.#quoted.clear();
    await this.open(since);
  }

  #place(seq) {
    let lo = 0;
    let hi = this.messages.length - 1;
    while (lo <= hi) {
      const mid = (lo + hi) >> 1;
      if (this.messages[mid].seq === seq) return mid;
      if (this.messages[mid].seq < seq) lo = mid + 1; else hi = mid - 1;
    }
    return -1;
  }

  #keep(copy) {
    this.#copies.delete(copy.msg_id); // moves it to the end
    this.#copies.set(copy.msg_id, copy);
    if (this.#copies.size > COPIES) this.#copies.delete(this.#copies.keys().next().value);
  }

  // latest is an arriving message with the changes that arrived before it.
  #latest(message) {
    const copy = this.#copies.get(message.msg_id);
    this.#copies.delete(message.msg_id);
    return newer(message, copy);
  }

  // take appends the next message, or holds one after a gap. It returns false for a known one.
  #take(message) {
    if (message.seq <= this.last || this.#held.has(message.seq)) return false;
    if ((this.messages.length > 0 || this.complete) && message.seq > this.last + 1) {
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
      next.push(this.#latest(this.#held.get(++seq)));
      this.#held.delete(seq);
    }
    this.messages.push(...next);
  }

  // merge appends a page that starts after the last message. A seq that the server's list
  // leaves out does not exist; it is not late.
  #merge(page) {
    const fresh = ascending(page).filter((m) => m.seq > this.last);
    if (fresh.length === 0) return false;
    this.messages.push(...fresh.map((m) => this.#latest(m)));
    this.#drain();
    this.emit("change");
    return true;
  }

  // fill fetches until no message is held; only one runs at a time.
  #fill() {
    if (this.#held.size === 0) return this.#repair ?? Promise.resolve();
    return (this.#repair ??= (async () => {
      try {
        // Missing messages are usually on their way: the answer to an own message may
        // arrive before pushes of others.
        await this.#options.wait(GRACE);
        this.#drain();
        for (let misses = 0; this.#held.size > 0;) {
          const { data } = await this.#options.fetch({ after_seq: this.last, limit: 200 });
          if (this.#merge(data)) { misses = 0; continue; }
          this.#drain();
          if (this.#held.size === 0) break;
          // A push can arrive before the list has the message: ask again, then use the push.
          if (++misses < MISSES) { await this.#options.wait(backoff(misses)); continue; }
          this.#merge([...this.#held.values()]);
        }
      } finally {
        this.#repair = null;
      }
    })());
  }

  // advance moves `changed` over the changes that are applied without a gap.
  #advance() {
    while (this.#early.delete(this.changed + 1)) this.changed++;
    for (const seq of this.#early) if (seq <= this.changed) this.#early.delete(seq);
  }

  #mergeChanges(changes, more, last = 0) {
    for (const c of changes) {
      if (c.message) this.copy(c.message);
      this.changed = Math.max(this.changed, c.change_seq);
    }
    if (!more) this.changed = Math.max(this.changed, last);
    this.#advance();
  }

  async #moreChanges() {
    const { data, has_more, last_change } = await this.#options.changes({ after_change: this.changed, limit: 200 });
    this.#mergeChanges(data, has_more, last_change);
    return Boolean(has_more && data.length > 0);
  }

  // fillChanges fetches until no change is early; only one runs at a time.
  #fillChanges() {
    if (this.#early.size === 0) return this.#mend ?? Promise.resolve();
    return (this.#mend ??= (async () => {
      try {
        await this.#options.wait(GRACE);
        this.#advance();
        for (let misses = 0; this.#early.size > 0;) {
          const before = this.changed;
          await this.#moreChanges();
          if (this.changed > before) { misses = 0; continue; }
          if (++misses < MISSES) { await this.#options.wait(backoff(misses)); continue; }
          this.changed = Math.max(...this.#early); // as with messages: use what was pushed
          this.#advance();
        }
      } finally {
        this.#mend = null;
      }
    })());
  }
}

function ascending(page) {
  return [...page].sort((a, b) => a.seq - b.seq);
}
