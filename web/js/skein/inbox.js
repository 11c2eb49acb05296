// inbox.js: the conversations of a client as a list shows them: newest message, unread and
// mention counts, settings, and the receipts of the other members. No DOM.

import { Emitter } from "./emitter.js";
import { Status, mentions, normal } from "./message.js";

// Inbox emits "change" (conv, or undefined for several) and "unsure": the number of unread
// mentions cannot be computed from live events, and sync must fetch it.
export class Inbox extends Emitter {
  items = new Map(); // conv_id → conversation
  #me;

  constructor(me) {
    super();
    this.#me = me;
  }

  get(id) { return this.items.get(id); }

  // list is the conversations of one kind: pinned ones first, then by newest activity.
  list({ archived = false } = {}) {
    return [...this.items.values()].filter((c) => c.archive === archived)
      .sort((a, b) => b.pin - a.pin || b.active - a.active || (a.id < b.id ? 1 : -1));
  }

  // unread counts the unread messages of all conversations that are not muted.
  get unread() {
    let sum = 0;
    for (const c of this.items.values()) if (!c.mute) sum += c.unread;
    return sum;
  }

  // views applies the views of conversations that the server returned for this client.
  views(list) {
    for (const v of list) this.#view(v);
    this.emit("change");
  }

  // conversation applies the shared data of a conversation. It returns false if the
  // conversation is unknown: only a view has the position of this client in it.
  conversation(c) {
    const conv = this.items.get(c.conv_id);
    if (!conv) return false;
    conv.tell(c);
    this.emit("change", conv);
    return true;
  }

  // message applies a message that was pushed, acknowledged or listed. It returns false if
  // the conversation is unknown.
  message(m) {
    const conv = this.items.get(m.conv_id);
    if (!conv) return false;
    if (m.seq && m.from !== this.#me) conv.saw(m.from, m.seq, m.seq); // a sender has read the messages before its own
    if (!m.seq || m.seq <= conv.lastSeq) {
      if (m.seq && m.seq === conv.last?.seq) conv.last = m;
      return true;
    }
    // The missing messages in a gap may have mentions.
    if (m.seq > conv.lastSeq + 1) this.emit("unsure");
    conv.last = m;
    conv.lastSeq = m.seq;
    conv.active = Math.max(conv.active, m.ctime);
    if (m.from === this.#me) conv.moveTo(m.seq);
    else if (mentions(m, this.#me)) conv.calls.add(m.seq);
    this.emit("change", conv);
    return true;
  }

  // change applies a change that was pushed.
  change({ conv_id, change_seq, kind, message: m }) {
    const conv = this.items.get(conv_id);
    if (!conv) return false;
    conv.lastChange = Math.max(conv.lastChange, change_seq);
    if (!m) return true;
    if (m.msg_id === conv.last?.msg_id && m.change_seq >= conv.last.change_seq && conv.last.status !== Status.deleted) conv.last = m;
    if ((kind === "recall" || kind === "delete") && m.seq > conv.readSeq) {
      if (kind === "delete" && conv.silent > 0) this.emit("unsure"); // it may have been recalled before
      else conv.silenced.add(m.seq);
      if (m.from !== this.#me && !conv.calls.delete(m.seq) && conv.called > 0) this.emit("unsure");
    }
    // The change may have changed the mentions. Of the earlier mentions only the number is known.
    if (kind === "edit" && m.seq > conv.readSeq && m.from !== this.#me) {
      if (mentions(m, this.#me)) conv.called > 0 && !conv.calls.has(m.seq) ? this.emit("unsure") : conv.calls.add(m.seq);
      else if (!conv.calls.delete(m.seq) && conv.called > 0) this.emit("unsure");
    }
    this.emit("change", conv);
    return true;
  }

  // position applies the position of this client, from an answer of conv.read or conv.received.
  position({ conv_id, read_seq, received_seq, unread, mentions: called }) {
    const conv = this.items.get(conv_id);
    if (!conv) return;
    conv.moveTo(read_seq);
    conv.receivedSeq = Math.max(conv.receivedSeq, received_seq ?? 0);
    // Only an answer about the current position has the right number of mentions.
    if (read_seq === conv.readSeq && read_seq + unread + conv.silenced.size + conv.silent >= conv.lastSeq) conv.stand({ unread, mentions: called ?? 0 });
    this.emit("change", conv);
  }

  // reads applies an event conv.read or rows of conv.readers.
  reads(conv_id, rows) {
    const conv = this.items.get(conv_id);
    if (!conv) return;
    for (const { client_id, read_seq, received_seq } of rows) {
      if (client_id === this.#me) {
        const before = conv.readSeq;
        conv.moveTo(read_seq);
        conv.receivedSeq = Math.max(conv.receivedSeq, received_seq);
        if (conv.readSeq > before && conv.readSeq < conv.lastSeq && (conv.called > 0 || conv.silent > 0)) this.emit("unsure");
        continue;
      }
      conv.saw(client_id, read_seq, received_seq);
    }
    this.emit("change", conv);
  }

  // read moves the position of this client at once; receipts.js sends it to the server.
  read(conv, seq) {
    conv.moveTo(seq);
    this.emit("change", conv);
  }

  remove(ids) {
    for (const id of ids) this.items.delete(id);
    this.emit("change");
  }

  // reset starts a full sync: prune then removes the conversations without a new view.
  reset() { for (const conv of this.items.values()) conv.forget(); }

  // prune removes and lists the conversations without a view since reset.
  prune() { return [...this.items.values()].filter((c) => c.doubtful); }

  #view(v) {
    let conv = this.items.get(v.conv_id);
    if (!conv) this.items.set(v.conv_id, (conv = new Item(v.conv_id)));
    const current = v.last_seq >= conv.lastSeq && v.read_seq >= conv.readSeq;
    conv.tell(v);
    Object.assign(conv, {
      doubtful: false, joinSeq: v.join_seq, role: v.role, nickname: v.nickname, muteUntil: v.mute_until,
      pin: flag(v.pin), mute: flag(v.mute), archive: flag(v.archive), draft: v.draft ?? "", floor: Math.max(conv.floor, v.floor_seq ?? 0),
    });
    conv.moveTo(v.read_seq);
    conv.receivedSeq = Math.max(conv.receivedSeq, v.received_seq);
    if (current) conv.stand(v);
    const last = v.last_message ? normal(v.last_message) : null;
    if (last && last.seq >= (conv.last?.seq ?? 0)) conv.last = last;
    if (conv.last && conv.last.seq <= conv.floor) conv.last = null;
    conv.active = Math.max(conv.active, last?.ctime ?? 0);
  }
}

// Item is one conversation. Its sequence numbers only grow, because answers may arrive
// before older events.
class Item {
  lastSeq = 0;
  lastChange = 0;
  readSeq = 0;
  receivedSeq = 0;
  joinSeq = 0;
  floor = 0;
  called = 0; // mentions unread, as of the last view
  calls = new Set(); // seqs of mentions since then
  silent = 0; // recalled or deleted after readSeq, as of the last view
  silenced = new Set(); // seqs recalled or deleted since then
  pin = false;
  mute = false;
  archive = false;
  role = "member";
  draft = "";
  last = null; // newest message
  active = 0; // time of the last message or change
  others = new Map(); // client → {read, received}
  doubtful = false;

  constructor(id) { this.id = id; }

  get unread() { return Math.max(0, this.lastSeq - Math.max(this.readSeq, this.floor) - this.silent - this.silenced.size); }

  get mentions() {
    return Math.min(this.unread, this.called + this.calls.size);
  }

  // stand applies the server's counts for the current position.
  stand({ unread, mentions }) {
    this.called = mentions;
    this.calls.clear();
    this.silent = Math.max(0, this.lastSeq - Math.max(this.readSeq, this.floor) - unread);
    this.silenced.clear();
  }

  // saw moves the position of another member forward.
  saw(client, read, received) {
    const was = this.others.get(client);
    this.others.set(client, { read: Math.max(was?.read ?? 0, read), received: Math.max(was?.received ?? 0, received) });
  }

  // readBy counts the other members who have read up to seq, or with received have received it.
  readBy(seq, what = "read") {
    let n = 0;
    for (const at of this.others.values()) if (at[what] >= seq) n++;
    return n;
  }

  moveTo(read) {
    if (!(read > this.readSeq)) return;
    this.readSeq = read;
    for (const seqs of [this.calls, this.silenced]) for (const seq of seqs) if (seq <= read) seqs.delete(seq);
    if (read >= this.lastSeq) this.called = this.silent = 0;
  }

  tell(c) {
    Object.assign(this, {
      type: c.conv_type, extend: c.conv_extend, creator: c.conv_creater_id, count: c.client_num, created: c.ctime_ms,
      lastSeq: Math.max(this.lastSeq, c.last_seq ?? 0), lastChange: Math.max(this.lastChange, c.last_change ?? 0),
      active: Math.max(this.active, c.mtime_ms ?? 0, c.ctime_ms ?? 0),
    });
    if (c.mute_all !== undefined) this.muteAll = flag(c.mute_all);
  }

  forget() {
    Object.assign(this, { doubtful: true, lastSeq: 0, lastChange: 0, readSeq: 0, receivedSeq: 0, floor: 0, called: 0, silent: 0, last: null, active: 0 });
    this.calls.clear();
    this.silenced.clear();
    this.others.clear();
  }
}

const flag = (v) => Boolean(Number(v ?? 0));
