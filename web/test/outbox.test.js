import { test } from "node:test";
import assert from "node:assert/strict";
import { Emitter } from "../js/skein/emitter.js";
import { Outbox } from "../js/skein/outbox.js";
import { SkeinError } from "../js/skein/errors.js";
import { Clock, settle } from "./fakes.js";

class Line extends Emitter {
  online = true;
  calls = [];
  answers = [];
  call(op, data) {
    this.calls.push({ op, ...data });
    const answer = this.answers.shift() ?? { msg_id: "m", seq: this.calls.length, time: 1 };
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }
  set(online) { this.online = online; this.emit("state", { name: online ? "online" : "waiting" }); }
}

function start() {
  const line = new Line();
  const clock = new Clock();
  let n = 0;
  const outbox = new Outbox(line, { now: clock.now, setTimeout: clock.setTimeout, random: () => 1, newId: () => `id${++n}` });
  const sent = [];
  outbox.on("sent", ({ entry }) => sent.push(entry.client_msg_id));
  return { line, clock, outbox, sent };
}

const refused = (code) => new SkeinError("refused", { code });
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
