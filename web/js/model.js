// model.js: the state of one client: its conversations, their members, and a log for each
// opened conversation. It connects the protocol client with the views. No DOM.

import { Emitter } from "./skein/emitter.js";
import { Inbox } from "./skein/inbox.js";
import { FAR, Log } from "./skein/log.js";
import { Presence } from "./skein/presence.js";
import { Receipts } from "./skein/receipts.js";
import { Sync } from "./skein/sync.js";
import { Typing } from "./skein/typing.js";
import { SkeinError } from "./skein/errors.js";
import { Status, change, normal } from "./skein/message.js";
import { Acts } from "./acts.js";
import { callsOf } from "./calls.js";
import { Drafts } from "./drafts.js";
import { People } from "./people.js";
import { rowsOf } from "./rows.js";

export const ConvType = Object.freeze({ private: 1, temporary: 2, group: 3, room: 4 });
export const MsgType = Object.freeze({ text: -1, image: -2 });

const PAGE = 100; // members that one call returns
const TOLD = 200; // in larger groups the page shows no readers and nobody typing

// Chat emits "conversations" (the list changed), "talk" (conv: its rows changed), "people"
// (names or presence changed), "typing" (conv) and "said" (a live message).
export class Chat extends Emitter {
  loaded = false;
  presence;
  typing;
  people;
  acts;
  drafts = new Drafts((conv, draft) => this.mark(conv, { draft }));
  #line;
  #outbox;
  #inbox;
  #receipts;
  #sync;

  // options: outbox, upload(file) → address, storage (path below which the server
  // keeps uploads), nickname
  constructor(connection, { outbox, upload, storage, nickname = "" }) {
    super();
    this.me = connection.clientId;
    this.storage = storage;
    this.upload = upload;
    this.#line = connection;
    this.#outbox = outbox;
    this.#inbox = new Inbox(this.me);
    this.#receipts = new Receipts(connection);
    this.presence = new Presence(connection);
    this.typing = new Typing(connection);
    this.people = new People(connection);
    this.acts = new Acts(connection);
    this.#sync = new Sync(connection, { behind: () => this.#behind(), ranges: (asked, answer) => this.#caughtUp(asked, answer) });
    this.#listen(nickname);
  }

  // node is the name of the server process that the connection is to; "" if it has none.
  get node() { return this.#line.state?.session?.node ?? ""; }

  #listen(nickname) {
    this.#line.on("state", () => {
      this.emit("conversations"); // node may be another
      for (const conv of this.#inbox.items.values()) conv.fresh = false; // who read, and what was pinned, may be missed
    });
    this.#sync.on("views", (views) => this.#views(views));
    this.#sync.on("deleted", (ids) => ids.forEach((id) => this.#forget(id)));
    this.#sync.on("reset", () => this.#reset());
    this.#sync.on("ready", ({ whole }) => this.#ready(whole, nickname));
    this.#sync.on("event", (frame) => this.#event(frame));
    this.#inbox.on("change", (conv) => { this.emit("conversations"); if (conv?.current) this.emit("talk", conv); });
    this.#inbox.on("unsure", () => this.#sync.now());
    this.#receipts.on("answer", (answer) => this.#inbox.position(answer));
    this.people.on("change", () => this.emit("people"));
    this.presence.on("change", () => this.emit("people"));
    this.typing.on("change", (id) => this.emit("typing", this.#inbox.get(id)));
    this.#outbox.on("change", ({ conv_id }) => this.#touched(this.#inbox.get(conv_id)));
    this.#outbox.on("sent", ({ entry, ack }) => this.#sent(entry, ack));
  }

  get conversations() { return this.#inbox.items; }
  get unread() { return this.#inbox.unread; }

  // list is the conversations in the order of the inbox. With a search it is only those
  // that contain its words, including archived ones.
  list(search = "", archived = false) {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const all = words.length ? [...this.#inbox.list(), ...this.#inbox.list({ archived: true })] : this.#inbox.list({ archived });
    return all.filter((c) => words.every((w) => `${this.title(c)} ${c.id}`.toLowerCase().includes(w)));
  }

  // title is the name of a conversation: its conv_name, or the names of its other members.
  title(conv) {
    const named = conv.extend?.conv_name;
    if (typeof named === "string" && named.trim()) return named;
    const others = (conv.members ?? []).filter((id) => id !== this.me).map((id) => this.name(id));
    if (others.length === 0) return conv.id.slice(0, 8);
    const more = conv.count - 1 - others.length;
    return others.slice(0, 5).join(", ") + (others.length > 5 || more > 0 ? " …" : "");
  }

  name(id) { return this.people.name(id); }

  // other is the other member of a private conversation, if known.
  other(conv) {
    return conv.type === ConvType.private ? conv.members?.find((id) => id !== this.me) ?? null : null;
  }

  // glance loads what a row of the list shows: the members and the last sender. The page
  // calls it only for visible rows.
  glance(conv) {
    if (conv.last) this.people.meet(conv.last.from);
    if (conv.members || conv.asked || !this.#line.online) return;
    conv.asked = true; // only once, even if it is refused
    this.members(conv).catch((err) => { conv.asked = err.kind === "refused"; });
  }

  // members loads the first hundred members of a conversation.
  members(conv) {
    return (conv.asking ??= this.#members(conv).finally(() => { conv.asking = null; }));
  }

  async #members(conv) {
    const { data } = await this.#line.call("conv.members.list", { conv_id: conv.id, page: 1, size: PAGE });
    conv.members = data.map((m) => m.client_id);
    for (const id of conv.members.slice(0, 6)) if (id !== this.me) this.people.meet(id);
    this.#watch();
    this.emit("conversations");
    return conv.members;
  }

  // roster returns a page of the members with their roles, and the next cursor.
  async roster(conv, cursor) {
    const { data, next_cursor } = await this.#line.call("conv.members.list", { conv_id: conv.id, size: PAGE, ...(cursor ? { cursor } : { page: 1 }) });
    return { members: data, cursor: next_cursor };
  }

  // readers returns a page of the members who have read a message, without its sender.
  async readers(conv, m, cursor) {
    const { data, ...answer } = await this.#line.call("conv.readers", { conv_id: conv.id, seq: m.seq, size: PAGE, ...(cursor ? { cursor } : { page: 1 }) });
    const others = data.filter((r) => r.client_id !== m.from);
    return { members: others, read: answer.read - 1, of: answer.members - 1, cursor: answer.next_cursor };
  }

  // enter loads the log of a conversation. It rejects with SkeinError.
  async enter(conv) {
    conv.log ??= this.#newLog(conv);
    if (!conv.members) this.members(conv).catch(() => {});
    if (!conv.log.opened) await conv.log.open(conv.lastChange);
    this.#watch();
    if (conv.fresh) return;
    conv.fresh = true;
    this.#around(conv).catch(() => { conv.fresh = false; });
  }

  #newLog(conv) {
    const log = new Log({
      floor: conv.floor,
      fetch: async (range) => {
        const { data, has_more } = await this.#line.call("msg.list", { conv_id: conv.id, ...range });
        return { data: this.#listed(data), has_more };
      },
      changes: async (range) => {
        const { data, ...rest } = await this.#line.call("changes", { conv_id: conv.id, ...range });
        return { data: data.map(change), ...rest };
      },
      get: async (msg_id) => normal(await this.#line.call("msg.get", { conv_id: conv.id, msg_id })),
    });
    log.on("change", () => this.#touched(conv));
    return log;
  }

  // listed handles the messages of an answer. Own messages among them have been sent.
  #listed(data) {
    return data.map((m) => {
      const message = normal(m);
      if (message.client_msg_id && message.from === this.me) this.#outbox.seen(message.client_msg_id, m);
      return message;
    });
  }

  // around loads the pins of a conversation and the receipts of its other members.
  async #around(conv) {
    if (conv.type === ConvType.private || (conv.type === ConvType.group && conv.count <= TOLD)) {
      for (let page = 1, last = 1; page <= last; page++) {
        const answer = await this.#line.call("conv.readers", { conv_id: conv.id, page, size: PAGE });
        this.#inbox.reads(conv.id, answer.data);
        last = Math.min(answer.last_page, TOLD / PAGE);
      }
    }
    conv.pins = (await this.#line.call("msg.pins", { conv_id: conv.id })).map(normal);
    this.emit("talk", conv);
  }

  // reads says that the user has seen all rows of a conversation.
  reads(conv) {
    const seq = conv.log?.opened ? conv.log.last : 0;
    if (seq <= conv.readSeq) return;
    this.#inbox.read(conv, seq);
    this.#receipts.read(conv.id, seq);
  }

  // readAll marks a conversation as read without opening it.
  readAll(conv) {
    const seq = conv.lastSeq;
    this.#inbox.read(conv, seq);
    this.#receipts.read(conv.id, seq);
  }

  // say queues a text. reply is the message that it replies to.
  say(conv, text, reply = null) {
    const others = conv.type === ConvType.private ? [] : (conv.members ?? []).filter((id) => id !== this.me);
    const body = { type: MsgType.text, text, ...(others.length && callsOf(text, others, (id) => this.name(id))) };
    if (reply) body.reply_to = reply.msg_id;
    return this.#outbox.add(conv.id, body);
  }

  // show queues a picture: first the upload, then a message with its address.
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

  // mark changes settings of a conversation for this client only: pin, mute, archive,
  // draft, clear_to_seq.
  async mark(conv, what) {
    this.#views([await this.#line.call("conv.mark", { conv_id: conv.id, ...what })]);
  }

  // clear hides all messages of the conversation for this client.
  clear(conv) { return this.mark(conv, { clear_to_seq: conv.lastSeq }); }

  // create creates a conversation: private with one other client, else a group.
  async create(names, title) {
    const conv_type = names.length === 1 ? ConvType.private : ConvType.group;
    const request = { to_client_ids: names, conv_type };
    if (title && conv_type === ConvType.group) request.conv_extend = { conv_name: title };
    const { conv_id } = await this.#line.call("conv.create", request);
    if (!this.#inbox.get(conv_id)) await this.#sync.now();
    const conv = this.#inbox.get(conv_id);
    if (!conv) throw new SkeinError("lost", { op: "conv.create" }); // the client learns of the conversation when it is connected again
    conv.members ??= [this.me, ...names];
    for (const id of names.slice(0, 6)) this.people.meet(id);
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
    return this.#sync.now();
  }

  async delete(conv) {
    await this.#line.call("conv.delete", { conv_id: conv.id });
    this.#forget(conv.id);
  }

  // rows returns the rows of a conversation; see rows.js.
  rows(conv) { return rowsOf({ log: conv.log, pending: this.#outbox.pending(conv.id), me: this.me }); }

  #views(views) {
    this.#inbox.views(views);
    for (const v of views) {
      const conv = this.#inbox.get(v.conv_id);
      conv.log?.clear(conv.floor);
      this.#receipts.told(conv.id, v);
      if (conv.lastSeq > conv.receivedSeq) this.#receipts.received(conv.id, conv.lastSeq);
      if (conv.current) this.emit("talk", conv);
    }
  }

  #behind() {
    const behind = [];
    for (const conv of this.#inbox.items.values()) {
      if (!conv.log?.opened) continue;
      const range = conv.log.range({ last_seq: conv.lastSeq, last_change: conv.lastChange });
      if (conv.lastSeq - conv.log.last > FAR) conv.log = null; // opening it again loads the newest page
      else if (range) behind.push({ conv_id: conv.id, ...range });
    }
    return behind;
  }

  #caughtUp(asked, answer) {
    const log = this.#inbox.get(asked.conv_id)?.log;
    return log?.apply({ ...answer, data: this.#listed(answer.data), changes: answer.changes.map(change) }, asked);
  }

  #reset() {
    this.#inbox.reset();
    for (const conv of this.#inbox.items.values()) { conv.log = null; this.#receipts.forget(conv.id); }
  }

  #ready(whole, nickname) {
    if (whole) for (const conv of this.#inbox.prune()) this.#forget(conv.id);
    this.loaded = true;
    this.people.introduce(this.me, nickname).catch(() => {});
    for (const conv of this.#inbox.items.values()) if (conv.current) this.enter(conv).catch(() => {});
    this.emit("conversations");
  }

  #forget(id) {
    const conv = this.#inbox.get(id);
    if (!conv) return;
    conv.gone = true;
    this.#receipts.forget(id);
    this.#inbox.remove([id]);
    this.emit("talk", conv);
  }

  #event({ type, data }) {
    switch (type) {
      case "msg.new": return this.#incoming(normal(data));
      case "msg.updated": return this.#changed(change(data));
      case "conv.read": return this.#inbox.reads(data.conv_id, data.reads);
      case "conv.deleted": return this.#forget(data.conv_id);
      case "conv.created":
      case "conv.updated":
      case "conv.members.added":
      case "conv.members.removed": return this.#conversation(type, data);
    }
  }

  #conversation(type, { conv_id, conversation, view, client_ids }) {
    const mine = client_ids?.includes(this.me);
    if (type === "conv.members.removed" && mine) return this.#forget(conv_id);
    const conv = this.#inbox.get(conv_id);
    if (conv && type.startsWith("conv.members.")) conv.members = conv.asked = null;
    if (view) this.#views([view]);
    else if (mine || !conv || !conversation) this.#sync.now(); // only a view has the position of this client
    else this.#inbox.conversation(conversation);
  }

  #incoming(m) {
    if (m.from === this.me && m.client_msg_id) this.#outbox.seen(m.client_msg_id, m);
    if (!this.#inbox.message(m)) return this.#sync.now();
    const conv = this.#inbox.get(m.conv_id);
    conv.log?.accept(m);
    if (m.from === this.me) return;
    this.#receipts.received(conv.id, m.seq);
    this.people.meet(m.from);
    this.emit("said", { conv, message: m });
  }

  #changed(c) {
    if (!this.#inbox.change(c)) return this.#sync.now();
    const conv = this.#inbox.get(c.conv_id);
    conv.log?.change(c);
    this.#repin(conv, c);
  }

  #repin(conv, { kind, on, message: m }) {
    if (!conv.pins || !m) return;
    const others = conv.pins.filter((p) => p.msg_id !== m.msg_id);
    if (kind === "pin" && on) conv.pins = [m, ...others];
    else if (kind === "pin" || m.status !== Status.normal) conv.pins = others;
    else conv.pins = conv.pins.map((p) => (p.msg_id === m.msg_id ? m : p));
    this.emit("talk", conv);
  }

  #sent(entry, ack) {
    const conv = this.#inbox.get(entry.conv_id);
    if (!conv || !ack.seq) return;
    const m = normal({
      ...entry.body, ...ack, conv_id: conv.id, from_client: this.me, ctime: ack.time ?? ack.ctime,
      client_msg_id: entry.client_msg_id, msg_status: ack.msg_status ?? Status.normal,
    });
    m.preview = entry.preview;
    conv.log?.accept(m);
    this.#inbox.message(conv.log?.find(m.msg_id) ?? m);
  }

  // watch tells presence which clients are visible.
  #watch() {
    const ids = [];
    for (const conv of this.#inbox.list()) {
      if (conv.current && conv.count <= TOLD) ids.unshift(...(conv.members ?? []));
      else ids.push(this.other(conv));
    }
    this.presence.watch(ids.filter((id) => id && id !== this.me));
  }

  #touched(conv) { if (conv) this.emit("talk", conv); }
}

// failure turns any error into one that the views can show.
export function failure(err) {
  return err instanceof SkeinError ? err : new SkeinError("refused", { message: String(err?.message ?? err) });
}
