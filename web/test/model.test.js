// The chat as a whole, against a server of a few lines.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Chat } from "../js/model.js";
import { Outbox } from "../js/skein/outbox.js";
import { Line } from "./fakes.js";

// world is one group of Tom, Jerry and Alex. Its events reach Tom only while his line
// is up.
function world() {
  const w = { messages: [], changes: [], read: 0, stamp: 0, names: ["Tom", "Jerry", "Alex"] };
  const now = (m) => ({ ...m });
  const view = () => ({
    conv_id: "c", conv_type: 3, client_num: 3, conv_extend: { conv_name: "Flock" }, ctime_ms: 1, mtime_ms: null,
    last_seq: w.messages.length, last_change: w.changes.length, read_seq: w.read, received_seq: w.read, unread: w.messages.length - w.read,
    mentions: 0, join_seq: 1, floor_seq: 0, role: "member", pin: 0, mute: 0, archive: 0, draft: null, last_message: w.messages.length ? now(w.messages.at(-1)) : null,
  });
  const changesAfter = (n) => w.changes.slice(n).map((c) => ({ ...c, message: now(w.messages[c.seq - 1]) }));
  const ops = {
    sync: ({ cursor }) => ({ conversations: Number(cursor ?? -1) < w.stamp ? [view()] : [], deleted: [], next_cursor: String(w.stamp), done: true, reset_required: false, epoch: 1 }),
    "msg.list": ({ after_seq, before_seq, limit }) => {
      const all = after_seq === undefined ? w.messages.filter((m) => m.seq < before_seq).reverse() : w.messages.filter((m) => m.seq > after_seq);
      return { data: all.slice(0, limit).map(now), has_more: all.length > limit };
    },
    "msg.ranges": ({ ranges }) => ranges.map(({ after_seq, after_change }) => ({
      conv_id: "c", data: after_seq === undefined ? [] : w.messages.slice(after_seq).map(now), has_more: false, last_seq: w.messages.length, floor_seq: 0,
      changes: after_change === undefined ? [] : changesAfter(after_change), more_changes: false, last_change: w.changes.length,
    })),
    "msg.send": ({ client_msg_id, text, reply_to }) => {
      let m = w.messages.find((x) => x.client_msg_id === client_msg_id);
      if (!m) m = w.say("Tom", text, { client_msg_id, reply_to });
      return { msg_id: m.msg_id, seq: m.seq, time: m.ctime };
    },
    "conv.members.list": () => ({ data: w.names.map((client_id) => ({ client_id, role: "member" })), next_cursor: null }),
    "conv.readers": () => ({ data: w.names.map((client_id) => ({ client_id, read_seq: 0, received_seq: 0 })), last_page: 1, members: 3, read: 1 }),
    "conv.read": ({ seq }) => { w.read = seq; return { conv_id: "c", read_seq: seq, received_seq: seq, unread: w.messages.length - seq, mentions: 0 }; },
    "msg.pins": () => [], "user.get": () => ({ ext: null }), "msg.get": ({ msg_id }) => now(w.messages.find((m) => m.msg_id === msg_id)),
  };
  w.line = new Line((op, data) => (ops[op] ?? (() => true))(data));
  w.line.clientId = "Tom";
  w.line.online = false;
  const tell = (type, data) => { if (w.line.online && !w.deaf) w.line.push(type, data); };
  w.say = (from, text, more = {}) => {
    const seq = w.messages.length + 1;
    const m = { seq, msg_id: `m${seq}`, conv_id: "c", client_id: from, type: -1, text, ctime: seq, msg_status: 1, version: 1, change_seq: 0, ...more };
    w.messages.push(m);
    w.stamp++;
    if (from !== "Tom") tell("msg.new", { ...m, from_client: from });
    return m;
  };
  w.change = (kind, seq, what) => {
    const change_seq = w.changes.length + 1;
    const m = Object.assign(w.messages[seq - 1], what, { change_seq });
    w.changes.push({ conv_id: "c", change_seq, kind, msg_id: m.msg_id, seq, client_id: m.client_id, time: 1 });
    w.stamp++;
    tell("msg.updated", { ...w.changes.at(-1), message: now(m) });
  };
  w.recall = (seq) => w.change("recall", seq, { text: null, msg_status: 3 });
  w.edit = (seq, text) => w.change("edit", seq, { text, version: w.messages[seq - 1].version + 1 });
  w.chat = new Chat(w.line, { outbox: new Outbox(w.line), storage: "/", upload: () => {} });
  return w;
}

const later = () => new Promise((r) => setImmediate(r));

async function open(w) {
  w.line.set(true);
  await later();
  const conv = w.chat.conversations.get("c");
  conv.current = true;
  await w.chat.enter(conv);
  await later();
  return conv;
}

const lines = ({ chat }, conv) => chat.rows(conv).map(({ m }) => m.text);

test("what happened while the line was down is there once, in order, as its newest change left it", async () => {
  const w = world();
  for (const text of ["one", "tow", "secret"]) w.say("Jerry", text);
  const conv = await open(w);
  assert.deepEqual(lines(w, conv), ["one", "tow", "secret"]);

  w.line.set(false);
  w.edit(2, "two");
  w.recall(3);
  w.say("Jerry", "four", { reply_to: "m3" });
  w.chat.say(conv, "mine");
  w.line.set(true);
  w.say("Alex", "five"); // live, while the sync is under way
  await later();
  await later();
  assert.deepEqual(w.messages.map((m) => m.text).slice(0, 4), ["one", "two", null, "four"]);
  assert.equal(w.messages.length, 6);
  assert.deepEqual(lines(w, conv), w.messages.map((m) => m.text));
  assert.equal(conv.log.quote("m3").text, null);
  assert.equal(conv.log.changed, 2);
  assert.equal(w.messages.filter((m) => m.text === "mine").length, 1);
});

test("events that never came are found by those that do", async () => {
  const w = world();
  w.say("Jerry", "one");
  const conv = await open(w);
  w.deaf = true;
  w.say("Jerry", "two");
  w.edit(1, "ONE");
  w.deaf = false;
  w.say("Jerry", "three");
  w.edit(3, "THREE");
  await new Promise((r) => conv.log.on("change", () => { if (conv.log.changed === 2 && conv.log.last === 3) r(); }));
  assert.deepEqual(lines(w, conv), ["ONE", "two", "THREE"]);
});

test("unread counts what was not seen, and seeing it tells the server once", async () => {
  const w = world();
  w.say("Jerry", "one");
  const conv = await open(w);
  assert.equal(w.chat.unread, 1);
  w.say("Jerry", "two");
  assert.equal(conv.unread, 2);
  w.chat.reads(conv);
  w.chat.reads(conv);
  assert.equal(w.chat.unread, 0);
  await new Promise((r) => setTimeout(r, 400));
  assert.deepEqual(w.line.of("conv.read"), [{ conv_id: "c", seq: 2 }]);
});

test("a message deleted for oneself has no row; a recalled one keeps its own", async () => {
  const w = world();
  for (const text of ["one", "two", "three"]) w.say("Jerry", text);
  const conv = await open(w);
  w.recall(1);
  w.line.push("msg.updated", { conv_id: "c", change_seq: 2, kind: "delete", client_id: "Tom", msg_id: "m2", seq: 2, message: w.messages[1] });
  assert.deepEqual(w.chat.rows(conv).map(({ m }) => [m.seq, m.status]), [[1, 3], [3, 1]]);
});

test("a text mentions whom it names", async () => {
  const w = world();
  const conv = await open(w);
  w.chat.say(conv, "@Jerry, and @nobody: look");
  w.chat.say(conv, "@all up");
  w.chat.say(conv, "mail me at tom@Jerry.example");
  await later();
  await later();
  const sent = w.line.of("msg.send").map(({ mention_client_ids, mention_all }) => [mention_client_ids, mention_all]);
  assert.deepEqual(sent, [[["Jerry"], undefined], [undefined, 1], [undefined, undefined]]);
});

test("a reset drops what is known and shows what is there now", async () => {
  const w = world();
  for (const text of ["one", "lost"]) w.say("Jerry", text);
  const conv = await open(w);
  w.line.set(false);
  w.messages.pop();
  const answer = w.line.answer;
  let reset = true;
  w.line.answer = (op, data) => {
    if (op !== "sync" || !reset) return answer(op, data);
    reset = false;
    return { conversations: [], deleted: [], next_cursor: "-1", done: false, reset_required: true, epoch: 2 };
  };
  w.line.set(true);
  await later();
  await later();
  assert.deepEqual(lines(w, conv), ["one"]);
  assert.equal(conv.lastSeq, 1);
});

test("the chat names the node that it is connected to, and hears when that is another", async () => {
  const w = world();
  const seen = [];
  w.chat.on("conversations", () => seen.push(w.chat.node));
  for (const node of ["n1", null, "n2"]) {
    w.line.state = { name: "online", session: { node } };
    w.line.emit("state", w.line.state);
    assert.equal(seen.at(-1), node ?? "");
  }
});
