// The golden files are what the server writes (api/golden, made from the op table). The
// client must read every push, and every answer that it uses. A field that the client reads
// and a golden file lacks fails here, and so does a golden file that nothing reads.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Chat } from "../js/model.js";
import { Connection } from "../js/skein/connection.js";
import { Outbox } from "../js/skein/outbox.js";
import { Clock, Line, network, settle } from "./fakes.js";

const dir = new URL("../../api/golden/", import.meta.url);
const goldens = Object.fromEntries(readdirSync(dir).map((name) => [name.replace(/\.json$/, ""), JSON.parse(readFileSync(new URL(name, dir)))]));
const pushes = Object.entries(goldens).filter(([, g]) => g.push).map(([, g]) => g.push);
const errors = Object.entries(goldens).filter(([name, g]) => name.startsWith("error.") && g.frame);

// optional are fields that the client reads and the server may leave out, by what holds
// them: a push of a message says less of it than the history.
const optional = {
  "msg.new": ["client_id", "msg_status", "version", "change_seq", "pin", "reactions"],
  "msg.updated": ["message.from_client", "on", "emoji"],
  "conv.created": ["view", "client_ids", "conversation"], "conv.updated": ["view", "client_ids", "conversation"],
  "conv.members.added": ["view", "conversation"], "conv.members.removed": ["view", "conversation"],
  "msg.send": ["msg_status"], // an answer from before a retry has it
  message: ["from_client"], // the history has client_id
  change: ["message.from_client", "on"],
  refusal: ["code"], // msg.ranges: of a conversation that is not answered
};

// reading shows a golden value and notes in missing each field that is read and not there.
function reading(value, path, missing, may) {
  if (value === null || typeof value !== "object") return value;
  return new Proxy(value, {
    get(target, name) {
      const got = target[name];
      if (typeof name === "symbol" || typeof got === "function" || name === "then" || name === "length") return got;
      const at = Array.isArray(target) ? path : path ? `${path}.${name}` : name;
      if (!(name in target) && !Array.isArray(target) && !may.some((m) => at === m || at.endsWith(`.${m}`))) missing.add(at);
      return reading(got, at, missing, may);
    },
  });
}

// used are the ops whose answers the client reads.
const used = [
  "sync", "msg.list", "msg.get", "msg.send", "msg.ranges", "msg.pins", "msg.edit", "msg.react", "changes",
  "conv.members.list", "conv.readers", "conv.read", "conv.received", "conv.mark", "conv.create", "user.get", "presence.subscribe",
];

// client is the chat of Tom, to whom every op is answered as its golden file says.
async function client() {
  const missing = new Map(); // op → Set of fields
  const fields = (op) => missing.get(op) ?? missing.set(op, new Set()).get(op);
  const line = new Line((op, data) => {
    let answer = goldens[op]?.success?.data;
    if (op === "msg.list" && (data.after_seq ?? data.before_seq) !== undefined) answer = goldens["msg.list.by_seq"].success.data;
    return reading(answer, "", fields(op), [...optional.message, ...optional.change, ...optional.refusal, ...(optional[op] ?? [])]);
  });
  line.clientId = "Tom";
  line.online = false;
  const chat = new Chat(line, { outbox: new Outbox(line), storage: "/", upload: () => {} });
  line.set(true);
  await settle();
  return { line, chat, missing, conv: [...chat.conversations.values()][0] };
}

test("there is a golden file of each push and each error", () => {
  assert.ok(pushes.length >= 12 && errors.length >= 20, `${pushes.length} pushes, ${errors.length} errors`);
});

test("the connection hands on each push, and each answer to its call", async () => {
  const clock = new Clock();
  const net = network((frame) => frame.type === "login" && goldens.login.success);
  const connection = new Connection({
    url: "ws://host/im/socket", appId: "666666", clientId: "Tom", deviceId: "d1", WebSocket: net.WebSocket, random: () => 1,
    now: clock.now, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout,
  });
  connection.open();
  net.socket.accept();
  await settle();
  // The login's answer has the golden id, which is that of the first call.
  assert.equal(connection.state.name, "online");
  assert.deepEqual(connection.state.session, goldens.login.success.data);

  const events = [];
  connection.on("event", (frame) => events.push(frame));
  for (const push of pushes) net.socket.push(push);
  assert.deepEqual(events, pushes);

  for (const [op, { success }] of Object.entries(goldens)) {
    if (!success || ["login", "logout", "ping", "msg.list.by_seq"].includes(op)) continue;
    const call = connection.call(op, {});
    net.socket.push({ ...success, id: net.socket.sent.at(-1).id });
    assert.deepEqual(await call, success.data, op);
  }
  for (const [name, { frame }] of errors) {
    if (!frame.id) continue;
    const call = connection.call("msg.send", {});
    net.socket.push({ ...frame, id: net.socket.sent.at(-1).id });
    const err = await call.then(() => assert.fail(name), (e) => e);
    assert.deepEqual([err.code, err.message, err.retryAfter], [frame.code, frame.msg, frame.retry_after_ms ?? 0], name);
    assert.equal(err.temporary, "retry_after_ms" in frame || frame.code === 1, name);
  }
});

test("the client shows what the golden answers say", async () => {
  const { line, chat, missing, conv } = await client();
  const view = goldens.sync.success.data.conversations[0];
  assert.deepEqual(
    [conv.id, conv.lastSeq, conv.lastChange, conv.readSeq, conv.unread, conv.mentions, conv.pin > 0, conv.draft, conv.count, chat.title(conv)],
    [view.conv_id, view.last_seq, view.last_change, view.read_seq, view.unread, view.mentions, Boolean(view.pin), view.draft, view.client_num, view.conv_extend.conv_name]);
  await chat.enter(conv);
  await settle();
  const listed = goldens["msg.list.by_seq"].success.data.data;
  assert.equal(conv.log.last, Math.max(...listed.map((m) => m.seq)));
  assert.equal(conv.log.find(listed[0].msg_id).text, listed[0].text);
  assert.deepEqual(conv.members, goldens["conv.members.list"].success.data.data.map((m) => m.client_id));
  assert.equal(conv.pins[0].msg_id, goldens["msg.pins"].success.data[0].msg_id);
  assert.equal((await chat.roster(conv)).members[0].role, goldens["conv.members.list"].success.data.data[0].role);
  const { read, of } = await chat.readers(conv, { seq: 1, from: "Tom" });
  const readers = goldens["conv.readers"].success.data;
  assert.ok(Number.isInteger(read) && Number.isInteger(of));
  assert.deepEqual([read, of], [readers.read - 1, readers.members - 1]);
  chat.say(conv, "hi");
  await chat.mark(conv, { pin: 1 });
  await chat.create(["Jerry", "Alex"], "just test");
  conv.fresh = false;
  line.set(false);
  line.set(true);
  await settle();
  for (const op of used) if (!line.calls.some((c) => c.op === op)) line.call(op, {});
  const lacks = [...missing].filter(([, set]) => set.size).map(([op, set]) => `${op}: ${[...set].join(", ")}`);
  assert.deepEqual(lacks, [], "the client reads fields that the golden answers lack");
});

for (const { type, data } of pushes) {
  test(`the client reads the fields of ${type}`, async () => {
    const { line, chat, conv } = await client();
    await chat.enter(conv);
    await settle();
    const missing = new Set();
    line.push(type, reading(data, "", missing, optional[type] ?? []));
    await settle();
    assert.deepEqual([...missing], []);
  });
}

test("each push does what it says", async () => {
  const data = Object.fromEntries(pushes.map((p) => [p.type, p.data]));
  const play = async (type, change = {}) => {
    const c = await client();
    await c.chat.enter(c.conv);
    await settle();
    c.line.calls = [];
    c.line.push(type, { ...data[type], ...change });
    await settle();
    return c;
  };
  let { chat, conv, line } = await play("msg.new", { seq: 3, msg_id: "next" });
  assert.deepEqual([conv.lastSeq, conv.last.url, conv.last.from], [3, data["msg.new"].url, "Jerry"]);
  ({ conv } = await play("msg.updated"));
  assert.equal(conv.lastChange, data["msg.updated"].change_seq);
  assert.equal(conv.log.find(data["msg.updated"].msg_id).text, data["msg.updated"].message.text);
  ({ chat, conv } = await play("conv.updated", { conversation: { ...data["conv.updated"].conversation, conv_extend: { conv_name: "new" } } }));
  assert.equal(chat.title(conv), "new");
  ({ line } = await play("conv.created", { conv_id: "another" }));
  assert.deepEqual(line.of("sync").length, 1);
  ({ chat, conv } = await play("conv.deleted"));
  assert.deepEqual([conv.gone, chat.conversations.size], [true, 0]);
  ({ conv } = await play("conv.members.added"));
  assert.equal(conv.members, null);
  ({ chat } = await play("conv.members.removed", { client_ids: ["Tom"] }));
  assert.equal(chat.conversations.size, 0);
  ({ conv } = await play("conv.read"));
  assert.equal(conv.others.get("Jerry").read, data["conv.read"].reads[0].read_seq);
  ({ chat, conv } = await play("typing", { client_id: "Jerry" }));
  assert.deepEqual(chat.typing.who(conv.id), ["Jerry"]);
  ({ chat } = await play("presence"));
  assert.equal(chat.presence.of(data.presence.clients[0].client_id).last_seen, data.presence.clients[0].last_seen);
  ({ line } = await play("resync"));
  assert.equal(line.of("sync").length, 1);
});
