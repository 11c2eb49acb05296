import { test } from "node:test";
import assert from "node:assert/strict";
import { Sync } from "../js/skein/sync.js";
import { Line, refused, settle } from "./fakes.js";
import { SkeinError } from "../js/skein/errors.js";

const view = (id) => ({ conv_id: id, last_seq: 1 });
const page = (ids, next, done = true) => ({ conversations: ids.map(view), deleted: [], next_cursor: next, done, reset_required: false, epoch: 1 });

// start gives a sync whose server answers what `answers` says, and all it tells.
function start({ answers = [], ...options } = {}) {
  const line = new Line((op, data) => {
    if (op !== "sync") return line.other?.(op, data);
    return answers.shift() ?? page([], data.cursor);
  });
  line.online = false;
  const told = [];
  const sync = new Sync(line, { wait: () => Promise.resolve(), random: () => 1, ...options });
  sync.on("views", (list) => told.push(`views ${list.map((v) => v.conv_id)}`));
  sync.on("deleted", (ids) => told.push(`deleted ${ids}`));
  sync.on("reset", () => told.push("reset"));
  sync.on("ready", ({ whole }) => told.push(whole ? "ready whole" : "ready"));
  sync.on("failed", (err) => told.push(`failed ${err.code}`));
  sync.on("event", ({ type }) => told.push(type));
  return { line, sync, told, answers };
}

// later is an answer that the test gives when it likes.
function later() {
  let give;
  const promise = new Promise((r) => { give = r; });
  return Object.assign(promise, { give });
}

test("a first sync tells everything, page by page", async () => {
  const { line, told } = start({ answers: [page(["a", "b"], "1", false), { ...page(["c"], "2"), deleted: ["d"] }] });
  line.set(true);
  await settle();
  assert.deepEqual(told, ["views a,b", "views c", "deleted d", "ready whole"]);
  assert.deepEqual(line.of("sync"), [{ limit: 200 }, { cursor: "1", limit: 200 }]);
});

test("what comes live meanwhile waits for its turn", async () => {
  const slow = later();
  const { line, told } = start({ answers: [slow] });
  line.set(true);
  line.push("msg.new");
  line.push("msg.updated");
  assert.deepEqual(told, []);
  slow.give(page(["a"], "1"));
  await settle();
  line.push("typing");
  assert.deepEqual(told, ["views a", "ready whole", "msg.new", "msg.updated", "typing"]);
});

test("a line that comes back goes on from the cursor", async () => {
  const { line, told } = start({ answers: [page(["a"], "1"), page(["b"], "2")] });
  line.set(true);
  await settle();
  line.set(false);
  line.set(true);
  await settle();
  assert.deepEqual(told, ["views a", "ready whole", "views b", "ready"]);
  assert.equal(line.of("sync")[1].cursor, "1");
});

test("a server that may have lost events has the client sync again, on the line that is up", async () => {
  const { line, told } = start({ answers: [page(["a"], "1"), page(["b"], "2")] });
  line.set(true);
  await settle();
  line.push("resync");
  line.push("msg.new");
  await settle();
  assert.deepEqual(told, ["views a", "ready whole", "views b", "ready", "msg.new"]);
  assert.deepEqual(line.of("sync").map((c) => c.cursor), [undefined, "1"]);
});

test("a line lost in the middle of a sync leaves nothing of it, and the next goes on where it was", async () => {
  const slow = later();
  const { line, told } = start({ answers: [page(["a"], "1", false), slow, page(["b"], "2")] });
  line.set(true);
  await settle();
  line.push("msg.new");
  line.set(false);
  line.set(true);
  await settle();
  slow.give(page(["late"], "9"));
  await settle();
  assert.deepEqual(told, ["views a", "views b", "ready"]);
  assert.deepEqual(line.of("sync").map((c) => c.cursor), [undefined, "1", "1"]);
});

test("a reset drops everything and begins anew", async () => {
  const { line, sync, told } = start({
    answers: [page(["a"], "1"), { ...page([], "new"), done: false, reset_required: true }, page(["b"], "2")],
  });
  line.set(true);
  await settle();
  line.set(false);
  line.set(true);
  await settle();
  assert.deepEqual(told.slice(2), ["reset", "views b", "ready whole"]);
  assert.equal(line.of("sync")[2].cursor, "new");
  assert.equal(sync.cursor, "2");
});

test("a cursor that the server cannot read is dropped, as in a reset", async () => {
  const { line, told } = start({ cursor: "rubbish", answers: [refused(4406), page(["a"], "1")] });
  line.set(true);
  await settle();
  assert.deepEqual(told, ["reset", "views a", "ready whole"]);
});

test("a busy server is asked again, one that refuses is not", async () => {
  const busy = start({ answers: [refused(5030), new SkeinError("timeout"), page(["a"], "1")] });
  busy.line.set(true);
  await settle();
  await settle();
  assert.deepEqual(busy.told, ["views a", "ready whole"]);

  const refuses = start({ answers: [refused(4004)] });
  refuses.line.set(true);
  refuses.line.push("msg.new");
  await settle();
  assert.deepEqual(refuses.told, ["failed 4004", "ready", "msg.new"]);
  assert.equal(refuses.line.calls.length, 1);
});

test("what is open and behind is brought up before anything live", async () => {
  const open = new Map([["a", 3], ["b", 0]]);
  const { line, told } = start({
    answers: [page(["a", "b"], "1")],
    behind: () => [...open].filter(([, at]) => at < 5).map(([conv_id, after_seq]) => ({ conv_id, after_seq })),
    ranges: ({ conv_id }, { data, has_more }) => { open.set(conv_id, data.at(-1)); told.push(`${conv_id} ${data}`); return has_more; },
  });
  line.other = (op, { ranges }) => ranges.map(({ conv_id, after_seq }) => (
    { conv_id, data: [after_seq + 1, after_seq + 2], has_more: after_seq + 2 < 5 }));
  line.set(true);
  line.push("msg.new");
  await settle();
  assert.deepEqual(told, ["views a,b", "a 4,5", "b 1,2", "b 3,4", "b 5,6", "ready whole", "msg.new"]);
  assert.deepEqual(line.of("msg.ranges").map((c) => c.ranges.length), [2, 1, 1]);
});

test("a conversation that is gone holds up no other, and a promise that is not kept ends", async () => {
  const { line, told } = start({
    answers: [page(["a"], "1")],
    behind: () => [{ conv_id: "a", after_seq: 1 }, { conv_id: "gone", after_seq: 1 }],
    ranges: ({ conv_id }, { has_more }) => { told.push(conv_id); return has_more; },
  });
  line.other = () => [{ conv_id: "a", data: [], has_more: true }, { conv_id: "gone", code: 4011 }];
  line.set(true);
  await settle();
  assert.deepEqual(told, ["views a", "a", "ready whole"]);
});

test("something unknown is asked for, and those who ask meanwhile share it", async () => {
  const slow = later();
  const { line, sync, told } = start({ answers: [page(["a"], "1"), slow, page(["c"], "3")] });
  line.set(true);
  await settle();
  const first = sync.now();
  const second = sync.now();
  line.push("msg.new");
  slow.give(page(["b"], "2"));
  await Promise.all([first, second]);
  assert.deepEqual(told.slice(2), ["views b", "views c", "ready", "msg.new"]);
  assert.equal(line.calls.length, 3);
});

test("an event that asks for a sync lets those behind it wait", async () => {
  const slow = later();
  const again = later();
  const { line, sync, told } = start({ answers: [slow, again] });
  sync.on("event", ({ type }) => { if (type === "first") sync.now(); });
  line.set(true);
  line.push("first");
  line.push("second");
  slow.give(page([], "1"));
  await settle();
  assert.deepEqual(told, ["ready whole", "first"]);
  again.give(page(["a"], "2"));
  await settle();
  assert.deepEqual(told, ["ready whole", "first", "views a", "ready", "second"]);
});
