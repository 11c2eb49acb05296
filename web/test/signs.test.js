// Receipts, presence, typing: the small signs.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Presence } from "../js/skein/presence.js";
import { Receipts } from "../js/skein/receipts.js";
import { Typing } from "../js/skein/typing.js";
import { SkeinError } from "../js/skein/errors.js";
import { Clock, Line, refused, settle } from "./fakes.js";

function receipts(answer) {
  const clock = new Clock();
  const line = new Line(answer ?? ((op, { conv_id, seq }) => ({ conv_id, read_seq: op === "conv.read" ? seq : 0, received_seq: seq, unread: 0, mentions: 0 })));
  return { clock, line, it: new Receipts(line, { setTimeout: clock.setTimeout, random: () => 1 }) };
}

test("positions go together, the newest only, and none that the server knows", async () => {
  const { clock, line, it } = receipts();
  for (let seq = 1; seq <= 50; seq++) it.read("c", seq);
  it.read("c", 7);
  await clock.pass(1000);
  it.read("c", 50);
  it.read("c", 3);
  it.told("d", { read_seq: 9, received_seq: 9 });
  it.read("d", 9);
  it.received("d", 8);
  await clock.pass(1000);
  assert.deepEqual(line.calls, [{ op: "conv.read", conv_id: "c", seq: 50 }]);
});

test("to have read is to have received", async () => {
  const { clock, line, it } = receipts();
  it.received("c", 4);
  it.read("c", 4);
  await clock.pass(1000);
  it.received("c", 6);
  await clock.pass(1000);
  assert.deepEqual(line.calls.map((c) => `${c.op} ${c.seq}`), ["conv.read 4", "conv.received 6"]);
});

test("a position that did not arrive goes out when the line is back", async () => {
  const { clock, line, it } = receipts();
  const answer = line.answer;
  line.answer = () => { line.online = false; return new SkeinError("lost"); };
  it.read("c", 4);
  await clock.pass(1000);
  await clock.pass(60_000);
  assert.equal(line.calls.length, 1);
  line.answer = answer;
  line.set(true);
  await clock.pass(1000);
  assert.deepEqual(line.calls.map((c) => c.seq), [4, 4]);
});

test("a refused position is not asked again, a later one is", async () => {
  const { clock, line, it } = receipts(() => refused(4011));
  it.read("c", 4);
  await clock.pass(60_000);
  it.read("c", 5);
  await clock.pass(60_000);
  assert.deepEqual(line.calls.map((c) => c.seq), [4, 5]);
});

test("many conversations take their turns", async () => {
  const { clock, line, it } = receipts();
  const answers = [];
  line.answer = (op, { conv_id, seq }) => new Promise((r) => answers.push(() => r({ conv_id, read_seq: 0, received_seq: seq })));
  for (let i = 0; i < 20; i++) it.received(`c${i}`, 1);
  await clock.pass(1000);
  assert.equal(line.calls.length, 4);
  for (let i = 0; i < 20; i++) { answers[i](); await settle(); }
  assert.deepEqual(new Set(line.calls.map((c) => c.conv_id)).size, 20);
  assert.equal(line.calls.length, 20);
});

function presence() {
  const clock = new Clock();
  const line = new Line((op, { client_ids }) => client_ids.map((client_id) => ({ client_id, online: client_id === "Jerry" ? 1 : 0, last_seen: null, devices: [] })));
  return { clock, line, it: new Presence(line, clock) };
}

test("presence is asked for once, told live, and unknown while the line is down", async () => {
  const { clock, line, it } = presence();
  it.watch(["Jerry", "Alex"]);
  it.watch(["Alex", "Jerry", "Alex"]);
  await clock.pass(1000);
  assert.deepEqual(line.of("presence.subscribe"), [{ client_ids: ["Alex", "Jerry"] }]);
  assert.deepEqual([it.online("Jerry"), it.online("Alex")], [true, false]);
  line.push("presence", { clients: [{ client_id: "Alex", online: 1, last_seen: null, devices: ["web"] }] });
  assert.equal(it.online("Alex"), true);
  line.set(false);
  assert.equal(it.of("Alex"), null);
  line.set(true);
  await clock.pass(1000);
  assert.equal(line.calls.length, 2, "a new session is asked anew");
  it.watch(["Jerry"]);
  await clock.pass(1000);
  assert.equal(it.of("Alex"), null, "who is no more watched is not shown as they were");
});

test("an app that hides presence is asked once a session", async () => {
  const { clock, line, it } = presence();
  line.answer = () => refused(4004);
  it.watch(["Jerry"]);
  await clock.pass(1000);
  it.watch(["Alex"]);
  await clock.pass(60_000);
  assert.equal(line.calls.length, 1);
});

function typing() {
  const clock = new Clock();
  const line = new Line();
  const it = new Typing(line, clock);
  return { clock, line, it, on: (client_id, on = 1) => line.push("typing", { conv_id: "c", client_id, on, time: 1 }) };
}

test("strokes are told once in a while, and the end of them", async () => {
  const { clock, line, it } = typing();
  for (let i = 0; i < 40; i++) { it.wrote("c"); await clock.pass(100); }
  assert.deepEqual(line.of("typing"), [{ conv_id: "c", on: 1 }, { conv_id: "c", on: 1 }]);
  it.stopped("c");
  it.stopped("c");
  assert.equal(line.calls.length, 3);
  await clock.pass(3500);
  it.wrote("c");
  it.stopped("c", { sent: true });
  assert.equal(line.calls.length, 4, "a message ends it by itself");
  it.wrote("c");
  assert.equal(line.calls.length, 4);
  await clock.pass(3500);
  assert.equal(line.calls.length, 5, "a stroke too soon after is told later");
  it.stopped("c");
  it.wrote("c");
  it.stopped("c");
  await clock.pass(3500);
  assert.equal(line.calls.length, 6, "and not when it is over by then");
});

test("who writes is shown until they stop, send, fall silent, or the line is lost", async () => {
  const { clock, line, it, on } = typing();
  on("Jerry"); on("Alex"); on("Iron");
  assert.deepEqual(it.who("c"), ["Jerry", "Alex", "Iron"]);
  on("Alex", 0);
  line.push("msg.new", { conv_id: "c", from_client: "Iron" });
  assert.deepEqual(it.who("c"), ["Jerry"]);
  await clock.pass(4000);
  on("Jerry");
  await clock.pass(4000);
  assert.deepEqual(it.who("c"), ["Jerry"], "another stroke makes it last");
  await clock.pass(4000);
  assert.deepEqual(it.who("c"), []);
  on("Jerry");
  line.set(false);
  assert.deepEqual(it.who("c"), []);
});
