import { test } from "node:test";
import assert from "node:assert/strict";
import { Connection } from "../js/skein/connection.js";
import { backoff, comesBack } from "../js/skein/errors.js";
import { Clock, network, login, settle } from "./fakes.js";

function start(answer = login, options = {}) {
  const clock = new Clock();
  const net = network(answer);
  const connection = new Connection({
    url: "ws://host/im/socket", appId: "666666", clientId: "Tom", deviceId: "d1",
    WebSocket: net.WebSocket, random: () => 1,
    now: clock.now, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, ...options,
  });
  const states = [];
  connection.on("state", (s) => states.push(s.name));
  connection.open();
  return { clock, net, connection, states };
}

async function online(answer, options) {
  const all = start(answer, options);
  all.net.socket.accept();
  await settle();
  assert.equal(all.connection.state.name, "online");
  return all;
}

test("logs in with the documented frame", async () => {
  const { net, states } = await online(login, { ext: { nickname: "汤姆" } });
  assert.deepEqual(net.socket.sent[0], {
    type: "login", id: "1",
    data: { app_id: "666666", client_id: "Tom", device_id: "d1", ext: { nickname: "汤姆" } },
  });
  assert.deepEqual(states, ["connecting", "online"]);
});

test("a refused login ends, and tells the code", async () => {
  const { net, connection } = start((f) => f.type === "login" && { type: "login.error", code: 213, msg: "账号封禁", data: null });
  net.socket.accept();
  await settle();
  assert.equal(connection.state.name, "ended");
  assert.equal(connection.state.code, 213);
  assert.equal(net.socket.closed, 1000);
});

test("a login that is rate limited is tried again", async () => {
  const { net, connection } = start((f) => f.type === "login" && { type: "login.error", code: 4290, msg: "", data: null });
  net.socket.accept();
  await settle();
  assert.equal(connection.state.name, "waiting");
});

test("answers find their calls whatever their order", async () => {
  const { net, connection } = await online();
  const a = connection.call("conv.get", { conv_id: "a" });
  const b = connection.call("conv.get", { conv_id: "b" });
  const [fa, fb] = net.socket.sent.slice(-2);
  net.socket.push({ type: "conv.get.success", data: "B", id: fb.id });
  net.socket.push({ type: "conv.get.error", code: 4011, msg: "未知会话", data: null, id: fa.id });
  assert.equal(await b, "B");
  await assert.rejects(a, { code: 4011, kind: "refused", op: "conv.get" });
});

test("close codes say whether to come back", async () => {
  for (const code of [1000, 4400, 4401, 4408, 4429, 4499]) assert.equal(comesBack(code), false, code);
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4500, 4508, 4599]) assert.equal(comesBack(code), true, code);
  const kicked = await online();
  kicked.net.socket.push({ type: "logout.kick", data: { time: 1, reason: "replaced" } });
  kicked.net.socket.fail(4401);
  assert.deepEqual(
    { name: kicked.connection.state.name, code: kicked.connection.state.code, reason: kicked.connection.state.reason },
    { name: "ended", code: 4401, reason: "replaced" });
  await kicked.clock.pass(600_000);
  assert.equal(kicked.net.sockets.length, 1);
});

test("comes back with a growing wait, and fails what was under way", async () => {
  const { net, clock, connection } = await online();
  const call = connection.call("user.get", {});
  const lost = assert.rejects(call, { kind: "lost" });
  net.socket.fail(1006);
  await lost;
  const waits = [];
  for (let i = 0; i < 4; i++) {
    assert.equal(connection.state.name, "waiting");
    const wait = connection.state.until - clock.time;
    waits.push(wait);
    await clock.pass(wait);
    assert.equal(connection.state.name, "connecting");
    net.socket.fail(1006);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000]);
});

test("waits leave half to chance and never pass the cap", () => {
  assert.equal(backoff(0, { random: () => 0 }), 250);
  assert.equal(backoff(40, { random: () => 1 }), 30_000);
});

test("a socket that never opens is given up", async () => {
  const { clock, connection } = start();
  await clock.pass(10_000);
  assert.equal(connection.state.name, "waiting");
});

test("a late close of an old socket changes nothing", async () => {
  const { net, clock, connection } = await online();
  const old = net.socket;
  old.fail(1001);
  await clock.pass(1000);
  net.socket.accept();
  await settle();
  old.onclose({ code: 4401, reason: "" });
  assert.equal(connection.state.name, "online");
});

test("a silent line is asked, and dropped when it does not answer", async () => {
  const { net, clock, connection } = await online();
  await clock.pass(26_000);
  assert.equal(net.socket.sent.at(-1).type, "ping");
  net.socket.push({ type: "pong", data: { time: 1 }, id: net.socket.sent.at(-1).id });
  await clock.pass(26_000);
  assert.equal(connection.state.name, "online");
  assert.equal(net.socket.sent.at(-1).type, "ping");
  await clock.pass(10_000);
  assert.notEqual(connection.state.name, "online");
});

test("frames that are no JSON are shown and otherwise ignored", async () => {
  const { net, connection } = await online();
  const seen = [];
  connection.on("frame", (f) => seen.push(f));
  for (const text of ["{", "null", "7", "[]", '{"type":7}']) net.socket.push(text);
  assert.equal(seen.length, 5);
  assert.equal(connection.state.name, "online");
});

test("a frame over 256 KiB is not sent", async () => {
  const { net, connection } = await online();
  const before = net.socket.sent.length;
  await assert.rejects(connection.call("msg.send", { text: "字".repeat(90_000) }), { code: 4130 });
  assert.equal(net.socket.sent.length, before);
});

test("close says goodbye and stays away", async () => {
  const { net, clock, connection } = await online();
  connection.close();
  assert.equal(net.socket.closed, 1000);
  await clock.pass(600_000);
  assert.equal(net.sockets.length, 1);
  await assert.rejects(connection.call("user.get"), { kind: "offline" });
});

// generations answers logins with a generation each, or as told.
function generations(...told) {
  let n = 0;
  return (frame) => frame.type === "login" && (told[n++] ?? { type: "login.success", data: { session_id: "s", generation: `g${n}`, heartbeat_s: 25 } });
}

async function back({ net, clock }) {
  net.socket.fail(1006);
  await clock.pass(1000);
  net.socket.accept();
  await settle();
  return net.socket.sent[0].data;
}

test("a line that comes back resumes the login it had", async () => {
  const all = await online(generations());
  assert.equal("resume" in all.net.socket.sent[0].data, false, "the first login is a new one");
  const { resume, generation } = await back(all);
  assert.deepEqual({ resume, generation }, { resume: 1, generation: "g1" });
  assert.equal((await back(all)).generation, "g2");
});

test("a resume that a newer login has overtaken ends, and opening again is a new login", async () => {
  const all = await online(generations(undefined, { type: "login.error", code: 4013, msg: "a newer login", data: null }));
  await back(all);
  const { name, code, reason, at } = all.connection.state;
  assert.deepEqual({ name, code, reason, at }, { name: "ended", code: 4013, reason: "replaced", at: "session" });
  await all.clock.pass(600_000);
  assert.equal(all.net.sockets.length, 2, "it does not fight for its place");

  all.connection.open();
  all.net.socket.accept();
  await settle();
  assert.equal("resume" in all.net.socket.sent[0].data, false);
  assert.equal(all.connection.state.name, "online");
});

test("a conflict that answers a first login is a refusal", async () => {
  const { net, connection } = start(generations({ type: "login.error", code: 4013, msg: "", data: null }));
  net.socket.accept();
  await settle();
  assert.equal(connection.state.at, "login");
});
