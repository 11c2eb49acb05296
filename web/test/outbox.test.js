import { test } from "node:test";
import assert from "node:assert/strict";
import { Outbox } from "../js/skein/outbox.js";
import { SkeinError } from "../js/skein/errors.js";
import { UnsentStore } from "../js/skein/unsent.js";
import { Clock, Line, refused, settle } from "./fakes.js";

// answers are what the next sends get; then each is stored.
function lineWith() {
  const line = new Line(() => line.answers.shift() ?? { msg_id: "m", seq: line.calls.length, time: 1 });
  line.answers = [];
  return line;
}

function start(options) {
  const line = lineWith();
  const clock = new Clock();
  let n = 0;
  const outbox = new Outbox(line, { now: clock.now, setTimeout: clock.setTimeout, random: () => 1, newId: () => `id${++n}`, ...options });
  const sent = [];
  outbox.on("sent", ({ entry }) => sent.push(entry.client_msg_id));
  return { line, clock, outbox, sent };
}

const text = (t) => ({ type: -1, text: t });

test("sends in order, one at a time", async () => {
  const { line, outbox, sent } = start();
  for (const t of ["a", "b", "c"]) outbox.add("c1", text(t));
  assert.equal(line.calls.length, 1);
  await settle();
  assert.deepEqual(line.calls.map((c) => c.text), ["a", "b", "c"]);
  assert.deepEqual(sent, ["id1", "id2", "id3"]);
  assert.deepEqual(outbox.pending("c1"), []);
});

test("a lost answer is asked for again with the same client_msg_id", async () => {
  const { line, outbox, sent } = start();
  line.answers = [new SkeinError("lost")];
  line.call = ((call) => (op, data) => { if (line.calls.length === 0) line.online = false; return call.call(line, op, data); })(line.call);
  outbox.add("c1", text("a"));
  await settle();
  assert.deepEqual(sent, []);
  line.set(true);
  await settle();
  assert.deepEqual(line.calls.map((c) => c.client_msg_id), ["id1", "id1"]);
  assert.deepEqual(sent, ["id1"]);
});

test("what is written offline goes out when the line is back", async () => {
  const { line, outbox, sent } = start();
  line.set(false);
  outbox.add("c1", text("a"));
  outbox.add("c2", text("b"));
  await settle();
  assert.equal(line.calls.length, 0);
  line.set(true);
  await settle();
  assert.deepEqual(sent.sort(), ["id1", "id2"]);
});

test("a refusal fails that message and not the next", async () => {
  const { line, outbox, sent } = start();
  line.answers = [refused(4004)];
  const a = outbox.add("c1", text("a"));
  outbox.add("c1", text("b"));
  await settle();
  assert.equal(a.state, "failed");
  assert.equal(a.error.code, 4004);
  assert.deepEqual(sent, ["id2"]);
  outbox.retry(a);
  await settle();
  assert.deepEqual(sent, ["id2", "id1"]);
});

test("too many requests are tried again later, and not for ever", async () => {
  const { line, clock, outbox, sent } = start();
  line.answers = [refused(4290), refused(5030)];
  outbox.add("c1", text("a"));
  await clock.pass(60_000);
  assert.deepEqual(sent, ["id1"]);
  assert.equal(line.calls.length, 3);

  line.answers = Array.from({ length: 20 }, () => refused(4290));
  const b = outbox.add("c1", text("b"));
  await clock.pass(600_000);
  assert.equal(b.state, "failed");
  assert.equal(line.calls.length, 3 + 6);
});

test("an upload is done once, however often the message is tried", async () => {
  const { line, clock, outbox, sent } = start();
  let uploads = 0;
  line.answers = [refused(5030)];
  outbox.add("c1", { type: -2 }, {
    prepare: async (entry) => {
      if (++uploads === 1) throw new SkeinError("lost");
      entry.body.url = "https://x/y.png";
    },
  });
  await clock.pass(60_000);
  assert.equal(uploads, 2);
  assert.deepEqual(line.calls.map((c) => c.url), ["https://x/y.png", "https://x/y.png"]);
  assert.deepEqual(sent, ["id1"]);
});

test("a message seen in a list is sent, and its late answer changes nothing", async () => {
  const { line, outbox, sent } = start();
  let answer;
  line.call = () => new Promise((r) => { answer = r; });
  outbox.add("c1", text("a"));
  outbox.seen("id1", { seq: 1 });
  assert.deepEqual(sent, ["id1"]);
  answer({ seq: 1 });
  await settle();
  assert.deepEqual(sent, ["id1"]);
});

test("a failed message can be thrown away", async () => {
  const { line, outbox } = start();
  line.answers = [refused(4011)];
  const a = outbox.add("c1", text("a"));
  await settle();
  outbox.discard(a);
  assert.deepEqual(outbox.pending("c1"), []);
});

// storage is a localStorage of a map.
function storage(most = Infinity) {
  const map = new Map();
  return {
    map,
    get length() { return map.size; },
    key: (i) => [...map.keys()][i] ?? null,
    getItem: (k) => map.get(k) ?? null,
    setItem: (k, v) => { if (map.size >= most && !map.has(k)) throw new Error("QuotaExceeded"); map.set(k, v); },
    removeItem: (k) => map.delete(k),
  };
}

test("what was not sent is sent by the next page, in order and under its own id", async () => {
  const kept = storage();
  const before = start({ store: new UnsentStore(kept, "app", "Tom") });
  before.line.set(false);
  for (const t of ["a", "b", "c"]) before.outbox.add("c1", text(t));
  assert.equal(kept.map.size, 3);

  const { line, outbox, sent } = start({ store: new UnsentStore(kept, "app", "Tom"), newId: () => "new" });
  assert.deepEqual(outbox.pending("c1").map((e) => e.body.text), ["a", "b", "c"]);
  outbox.add("c1", text("d"));
  line.set(true);
  await settle();
  assert.deepEqual(line.of("msg.send").map((c) => [c.client_msg_id, c.text]), [["id1", "a"], ["id2", "b"], ["id3", "c"], ["new", "d"]]);
  assert.deepEqual(sent, ["id1", "id2", "id3", "new"]);
  assert.equal(kept.map.size, 0, "what is sent is not kept");
});

test("another client's messages are not taken up", () => {
  const kept = storage();
  const before = start({ store: new UnsentStore(kept, "app", "Tom") });
  before.line.set(false);
  before.outbox.add("c1", text("a"));
  assert.deepEqual(start({ store: new UnsentStore(kept, "app", "Jerry") }).outbox.pending("c1"), []);
  assert.deepEqual(start({ store: new UnsentStore(kept, "other", "Tom") }).outbox.pending("c1"), []);
});

test("a failed message is still failed after a reload, and can be thrown away for good", async () => {
  const kept = storage();
  const before = start({ store: new UnsentStore(kept, "app", "Tom") });
  before.line.answers = [refused(4004)];
  before.outbox.add("c1", text("a"));
  await settle();
  const { outbox, line } = start({ store: new UnsentStore(kept, "app", "Tom") });
  const [entry] = outbox.pending("c1");
  assert.equal(entry.state, "failed");
  assert.equal(entry.error.code, 4004);
  line.set(true);
  await settle();
  assert.equal(line.calls.length, 0);
  outbox.discard(entry);
  assert.equal(kept.map.size, 0);
});

test("a file that is not uploaded yet is not kept, its message is", async () => {
  const kept = storage();
  const { line, outbox } = start({ store: new UnsentStore(kept, "app", "Tom") });
  line.answer = () => new Promise(() => {});
  let uploaded;
  outbox.add("c1", { type: -2 }, { prepare: (entry) => new Promise((r) => { uploaded = () => { entry.body.url = "/x.png"; r(); }; }) });
  assert.equal(kept.map.size, 0);
  uploaded();
  await settle();
  assert.match([...kept.map.values()][0], /x\.png/);
});

test("the store of unsent messages is bounded, and drops invalid entries", () => {
  const kept = storage();
  const store = new UnsentStore(kept, "app", "Tom");
  for (let i = 0; i < 150; i++) store.put({ conv_id: "c", client_msg_id: `id${i}`, body: text("a"), at: i, n: i, state: "sending" });
  assert.equal(store.all().length, 100);
  store.take({ client_msg_id: "id0" });
  store.put({ conv_id: "c", client_msg_id: "big", body: text("x".repeat(70_000)), at: 1, n: 1, state: "sending" });
  assert.equal(store.all().length, 99);
  for (const strange of ["{", "null", "7", `{"conv_id":"c"}`]) kept.setItem("skein.unsent app Tom strange", strange);
  kept.setItem("other", "kept");
  assert.equal(store.all().length, 99);
  assert.equal(kept.getItem("other"), "kept");
  assert.deepEqual(new UnsentStore(storage(0), "app", "Tom").all(), []);
  new UnsentStore(storage(0), "app", "Tom").put({ conv_id: "c", client_msg_id: "id", body: {}, at: 1, n: 1, state: "sending" });
});
