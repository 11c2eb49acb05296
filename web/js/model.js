// model.js: what one client knows: its conversations, the people in them, and a
// log for each talk that was opened. Between the protocol client and the views;
// no DOM.

import { Emitter } from "./skein/emitter.js";
import { Log } from "./skein/log.js";
import { SkeinError } from "./skein/errors.js";

export const ConvType = Object.freeze({ private: 1, temporary: 2, group: 3, room: 4 });
export const MsgType = Object.freeze({ text: -1, image: -2 });

const GROUP_GAP = 5 * 60_000; // messages of one sender closer than this are one group

// Chat tells "conversations" (the list differs), "talk" (conv: its messages
// differ), "people" (names differ) and "said" (a message that came live).
export class Chat extends Emitter {
  conversations = new Map();
  loaded = false;
  #line;
  #outbox;
  #people = new Map(); // id → {name}
  #nickname;
  #learning = new Map(); // conv_id → the call under way

  constructor(connection, outbox, { upload, storage, nickname = "" }) {
    super();
    this.me = connection.clientId;
    this.#nickname = nickname;
    this.storage = storage; // path below which the server keeps uploads
    this.upload = upload;
    this.#line = connection;
    this.#outbox = outbox;
    connection.on("state", ({ name }) => { if (name === "online") this.#back().catch(() => {}); });
    connection.on("event", (frame) => this.#event(frame));
    outbox.on("change", ({ conv_id }) => this.#touched(this.conversations.get(conv_id)));
    outbox.on("sent", ({ entry, ack }) => this.#sent(entry, ack));
  }

  // list is the conversations, newest activity first, those that contain the
  // words of a search only.
  list(search = "") {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return [...this.conversations.values()]
      .filter((c) => words.every((w) => `${this.title(c)} ${c.id}`.toLowerCase().includes(w)))
      .sort((a, b) => b.active - a.active || (a.id < b.id ? 1 : -1));
  }

  // title is how a conversation is called: its conv_name, or the others in it.
  title(conv) {
    const named = conv.extend?.conv_name;
    if (typeof named === "string" && named.trim()) return named;
    const others = (conv.members ?? []).filter((id) => id !== this.me).map((id) => this.name(id));
    if (others.length === 0) return conv.id.slice(0, 8);
    const more = conv.count - 1 - others.length;
    return others.slice(0, 5).join(", ") + (others.length > 5 || more > 0 ? " …" : "");
  }

  // name is the nickname of a client where it has one.
  name(id) { return this.#people.get(id)?.name ?? id; }

  // meet learns the name of a client, once.
  async meet(id) {
    if (this.#people.has(id) || !this.#line.online) return;
    this.#people.set(id, {});
    try {
      const { ext } = await this.#line.call("user.get", { client_id: id });
      const nickname = ext && typeof ext === "object" && ext.nickname;
      if (typeof nickname !== "string" || !nickname.trim()) return;
      this.#people.set(id, { name: nickname.trim() });
      this.emit("people");
    } catch (err) {
      if (err.kind !== "refused") this.#people.delete(id); // ask again another time
    }
  }

  // glance fills in what a row of the list shows: the members and the last
  // message. Called for rows in sight only.
  async glance(conv) {
    if (!this.#line.online) return;
    if (!conv.members && !conv.asked) {
      conv.asked = true; // once: a refusal is not asked again
      this.members(conv).catch((err) => { conv.asked = err.kind === "refused"; });
    }
    if (conv.lastSeq > (conv.last?.seq ?? 0) && conv.peeked !== conv.lastSeq) {
      conv.peeked = conv.lastSeq;
      try {
        const { data } = await this.#line.call("msg.list", { conv_id: conv.id, before_seq: conv.lastSeq + 1, limit: 1 });
        if (data[0]) this.#preview(conv, normal(data[0]));
      } catch { conv.peeked = 0; }
    }
  }

  // members loads the first hundred members of a conversation.
  members(conv) {
    return (conv.asking ??= this.#members(conv).finally(() => { conv.asking = null; }));
  }

  async #members(conv) {
    const answer = await this.#line.call("conv.members", { conv_id: conv.id, page: 1, size: 100 });
    conv.members = Array.isArray(answer) ? answer : answer.data;
    for (const id of conv.members.slice(0, 6)) if (id !== this.me) this.meet(id);
    this.emit("conversations");
    return conv.members;
  }

  // enter makes ready the log of a conversation; rejects with SkeinError.
  async enter(conv) {
    if (!conv.log) {
      conv.log = new Log({
        fetch: async (range) => {
          const { data, has_more } = await this.#line.call("msg.list", { conv_id: conv.id, ...range });
          for (const m of data) if (m.client_msg_id && m.client_id === this.me) this.#outbox.seen(m.client_msg_id, m);
          return { data: data.map(normal), has_more };
        },
      });
      conv.log.on("change", () => this.#touched(conv));
    }
    if (!conv.members) this.members(conv).catch(() => {});
    if (!conv.log.opened || conv.stale) {
      await conv.log.catchUp();
      conv.stale = false;
    }
  }

  // say queues a text.
  say(conv, text) {
    return this.#outbox.add(conv.id, { type: MsgType.text, text });
  }

  // show queues a picture: upload, then the message with its address.
  show(conv, file, { width, height, preview } = {}) {
    const attr = { name: file.name, size: file.size };
    if (width && height) Object.assign(attr, { width, height });
    return this.#outbox.add(conv.id, { type: MsgType.image, attr }, {
      preview,
      prepare: async (entry) => { entry.body.url = await this.upload(file); },
    });
  }

  retry(entry) { this.#outbox.retry(entry); }
  discard(entry) { this.#outbox.discard(entry); }

  // create opens a conversation: with one other a private one, else a group.
  async create(names, title) {
    const conv_type = names.length === 1 ? ConvType.private : ConvType.group;
    const request = { to_client_ids: names, conv_type };
    if (title && conv_type === ConvType.group) request.conv_extend = { conv_name: title };
    const { conv_id } = await this.#line.call("conv.create", request);
    const conv = await this.#learn(conv_id);
    conv.members ??= [this.me, ...names];
    for (const id of names.slice(0, 6)) this.meet(id);
    this.emit("conversations");
    return conv;
  }

  async add(conv, names) { await this.#line.call("conv.members.add", { conv_id: conv.id, client_ids: names }); return this.members(conv); }
  async remove(conv, names) { await this.#line.call("conv.members.remove", { conv_id: conv.id, client_ids: names }); return this.members(conv); }

  async rename(conv, title) {
    const extend = conv.extend && typeof conv.extend === "object" ? conv.extend : {};
    await this.#line.call("conv.update", {
      where: [["conv_id", "=", conv.id]], update: { conv_extend: { ...extend, conv_name: title } },
    });
    return this.#learn(conv.id);
  }

  async delete(conv) {
    await this.#line.call("conv.delete", { conv_id: conv.id });
    this.#forget(conv.id);
  }

  // rows is the talk as it is shown: messages, those passing, those on their way.
  rows(conv) {
    const rows = [];
    const passing = [...(conv.log?.passing ?? [])];
    const push = (m) => {
      const before = rows.at(-1)?.m;
      const joins = before && before.from === m.from && before.day === m.day && m.ctime - before.ctime < GROUP_GAP;
      if (joins) rows.at(-1).ends = false;
      rows.push({ key: keyOf(m, this.me), m, own: m.from === this.me, day: before?.day !== m.day, starts: !joins, ends: true });
    };
    for (const m of conv.log?.messages ?? []) {
      while (passing.length && passing[0].after < m.seq) push(passing.shift());
      push(m);
    }
    for (const m of passing) push(m);
    for (const m of conv.log?.ahead ?? []) if (m.from === this.me) push(m);
    for (const entry of this.#outbox.pending(conv.id)) {
      push({
        ...entry.body, entry, conv_id: conv.id, from: this.me, client_msg_id: entry.client_msg_id,
        ctime: entry.at, day: dayOf(entry.at), status: 1, preview: entry.preview,
      });
    }
    return rows;
  }

  // introduce makes the nickname that was typed the one that others see: a login
  // keeps it only for a client that was unknown.
  async #introduce() {
    const { ext } = await this.#line.call("user.get", { client_id: this.me });
    const kept = ext && typeof ext === "object" && !Array.isArray(ext) ? ext : {};
    const nickname = this.#nickname || (typeof kept.nickname === "string" ? kept.nickname : "");
    if (nickname !== (kept.nickname ?? "")) {
      await this.#line.call("user.update", { client_id: this.me, ext: { ...kept, nickname } });
    }
    this.#people.set(this.me, { name: nickname || undefined });
    this.emit("people");
  }

  async #back() {
    if (!this.#people.has(this.me)) this.#introduce().catch(() => {});
    for (let page = 1, got = 0; page <= 10; page++) {
      const { data, total } = await this.#line.call("conv.query", { page, size: 100 });
      for (const c of data) this.#put(c);
      got += data.length;
      if (data.length === 0 || got >= total) break;
    }
    this.loaded = true;
    this.emit("conversations");
    for (const conv of this.conversations.values()) {
      if (!conv.log?.opened) continue;
      conv.stale = true;
      if (conv.current) this.enter(conv).catch(() => {});
    }
  }

  // learn asks for a conversation as it is now; those who ask meanwhile share
  // the answer.
  #learn(conv_id) {
    if (!this.#learning.has(conv_id)) {
      this.#learning.set(conv_id, this.#line.call("conv.get", { conv_id }).then((c) => {
        const conv = this.#put(c);
        this.emit("conversations");
        return conv;
      }).finally(() => this.#learning.delete(conv_id)));
    }
    return this.#learning.get(conv_id);
  }

  #put(c) {
    let conv = this.conversations.get(c.conv_id);
    if (!conv) {
      conv = { id: c.conv_id, members: null, last: null, log: null, lastSeq: 0, active: 0, draft: "" };
      this.conversations.set(conv.id, conv);
    }
    Object.assign(conv, {
      type: c.conv_type, extend: c.conv_extend, creator: c.conv_creater_id, count: c.client_num,
      created: c.ctime_ms, lastSeq: Math.max(conv.lastSeq, c.last_seq ?? 0),
      active: Math.max(conv.active, c.mtime_ms ?? 0, c.ctime_ms ?? 0),
    });
    return conv;
  }

  #forget(conv_id) {
    const conv = this.conversations.get(conv_id);
    if (!conv) return;
    this.conversations.delete(conv_id);
    conv.gone = true;
    this.emit("conversations");
    this.emit("talk", conv);
  }

  #event({ type, data }) {
    switch (type) {
      case "msg.new": return this.#incoming(data);
      case "conv.deleted": return this.#forget(data.conv_id);
      case "conv.created":
      case "conv.updated":
      case "conv.members.added":
      case "conv.members.removed": {
        if (type === "conv.members.removed" && data.client_ids?.includes(this.me)) return this.#forget(data.conv_id);
        const known = this.conversations.get(data.conv_id);
        if (known && type.startsWith("conv.members.")) known.members = known.asked = null;
        if (!data.conversation) return this.#learn(data.conv_id).catch(() => {});
        this.#put(data.conversation);
        this.emit("conversations");
      }
    }
  }

  async #incoming(data) {
    const m = normal(data);
    let conv = this.conversations.get(m.conv_id);
    if (!conv) {
      try { conv = await this.#learn(m.conv_id); } catch { return; }
    }
    if (m.from === this.me && m.client_msg_id) this.#outbox.seen(m.client_msg_id, m);
    conv.log?.accept(m);
    this.#preview(conv, m);
    this.meet(m.from);
    if (m.from !== this.me) this.emit("said", { conv, message: m });
  }

  #sent(entry, ack) {
    const conv = this.conversations.get(entry.conv_id);
    if (!conv || !ack.seq) return;
    const m = normal({
      ...entry.body, ...ack, conv_id: conv.id, from_client: this.me, ctime: ack.time ?? ack.ctime,
      client_msg_id: entry.client_msg_id, msg_status: 1,
    });
    m.preview = entry.preview;
    conv.log?.accept(m);
    this.#preview(conv, m);
  }

  #preview(conv, m) {
    if (m.seq && m.seq < (conv.last?.seq ?? 0)) return;
    if (m.seq) {
      conv.last = m;
      conv.lastSeq = Math.max(conv.lastSeq, m.seq);
    }
    conv.active = Math.max(conv.active, m.ctime);
    this.emit("conversations");
  }

  #touched(conv) {
    if (!conv) return;
    const last = conv.log?.messages.at(-1);
    if (last && last.seq > (conv.last?.seq ?? 0)) this.#preview(conv, last);
    this.emit("talk", conv);
  }
}

// normal is a message in one form, whether pushed (from_client) or listed
// (client_id, msg_status).
export function normal(m) {
  const ctime = Number(m.ctime) || 0;
  return {
    seq: Number(m.seq) || 0, msg_id: m.msg_id, conv_id: m.conv_id, from: String(m.from_client ?? m.client_id ?? ""),
    type: m.type, text: m.text, attr: m.attr, url: m.url, ctime, day: dayOf(ctime), status: m.msg_status ?? 1,
    client_msg_id: m.client_msg_id, transient: Boolean(Number(m.transient)),
  };
}

// A message keeps its key from the moment it is written, through its answer.
function keyOf(m, me) {
  if (m.from === me && m.client_msg_id) return `c${m.client_msg_id}`;
  return m.seq ? `s${m.seq}` : `t${m.msg_id}`;
}

function dayOf(ms) {
  const d = new Date(ms);
  return d.getFullYear() * 10000 + d.getMonth() * 100 + d.getDate();
}

// failure makes any error one that the views can show.
export function failure(err) {
  return err instanceof SkeinError ? err : new SkeinError("refused", { message: String(err?.message ?? err) });
}
