import { test } from "node:test";
import assert from "node:assert/strict";
import { Log } from "../js/skein/log.js";
import { change, normal } from "../js/skein/message.js";
import { settle } from "./fakes.js";

const message = (seq) => ({ seq, msg_id: `m${seq}`, text: `#${seq}` });

// server holds n messages and counts the calls.
function server(n) {
  const s = {
    n, calls: [], missing: new Set(),
    fetch: async ({ after_seq, before_seq, limit }) => {
      s.calls.push({ after_seq, before_seq, limit });
      if (s.down) throw new Error("down");
      let all = Array.from({ length: s.n }, (_, i) => message(i + 1)).filter((m) => !s.missing.has(m.seq));
      if (after_seq !== undefined) {
        all = all.filter((m) => m.seq > after_seq);
      } else {
        all = all.filter((m) => m.seq < before_seq).reverse();
      }
      return { data: all.slice(0, limit), has_more: all.length > limit };
    },
  };
  s.log = new Log({ fetch: s.fetch, page: 10, wait: () => Promise.resolve() });
  return s;
}

const seqs = (log) => log.messages.map((m) => m.seq);
const range = (a, b) => Array.from({ length: b - a + 1 }, (_, i) => a + i);

test("opens at the newest page and goes back to the oldest", async () => {
  const { log } = server(25);
  await log.open();
  assert.deepEqual(seqs(log), range(16, 25));
  await Promise.all([log.older(), log.older()]);
  assert.deepEqual(seqs(log), range(6, 25));
  await log.older();
  assert.deepEqual(seqs(log), range(1, 25));
  assert.equal(log.complete, true);
});

test("live messages are appended once and in order", async () => {
  const s = server(2);
  await s.log.open();
  s.n = 5;
  for (const seq of [3, 3, 2, 4, 5, 4]) s.log.accept(message(seq));
  assert.deepEqual(seqs(s.log), range(1, 5));
  assert.equal(s.calls.length, 1, "nothing was missing, so nothing is fetched");
});

test("a gap is fetched, and the early ones are kept", async () => {
  const s = server(2);
  await s.log.open();
  s.n = 9;
  s.log.accept(message(9));
  s.log.accept(message(6));
  assert.deepEqual(seqs(s.log), [1, 2], "nothing is shown out of turn");
  await settle();
  assert.deepEqual(seqs(s.log), range(1, 9));
  assert.equal(s.calls.length, 2);
});

test("an early one that the list does not show yet is believed at last", async () => {
  const s = server(2);
  await s.log.open();
  s.log.accept(message(5));
  await settle();
  await settle();
  assert.deepEqual(seqs(s.log), [1, 2, 5]);
});

test("a seq that the list leaves out does not hold up the rest", async () => {
  const s = server(2);
  await s.log.open();
  s.n = 8;
  s.missing.add(4);
  s.log.accept(message(8));
  await settle();
  assert.deepEqual(seqs(s.log), [1, 2, 3, 5, 6, 7, 8]);
});

test("a repair that failed is mended by the next catchUp", async () => {
  const s = server(2);
  await s.log.open();
  s.n = 6;
  s.down = true;
  s.log.accept(message(6));
  await settle();
  assert.deepEqual(seqs(s.log), [1, 2]);
  s.down = false;
  await s.log.catchUp();
  assert.deepEqual(seqs(s.log), range(1, 6));
});

test("what was missed is fetched page by page", async () => {
  const s = server(3);
  await s.log.open();
  s.n = 903;
  await s.log.catchUp();
  assert.deepEqual(seqs(s.log), range(1, 903));
});

test("far behind, it starts again from the newest page", async () => {
  const s = server(3);
  await s.log.open();
  s.n = 9000;
  await s.log.catchUp();
  assert.deepEqual(seqs(s.log), range(8991, 9000));
  assert.equal(s.log.complete, false);
});

test("messages that came while it was opening are in their place", async () => {
  const s = server(30);
  const opening = s.log.open();
  s.log.accept(message(31));
  s.log.accept(message(30));
  s.n = 31;
  await opening;
  assert.deepEqual(seqs(s.log), range(21, 31));
});

test("the first message of an empty conversation needs no fetch", async () => {
  const s = server(0);
  await s.log.open();
  s.log.accept(message(1));
  assert.deepEqual(seqs(s.log), [1]);
  assert.equal(s.calls.length, 1);
});

test("a transient message has no seq and moves nothing", async () => {
  const s = server(2);
  await s.log.open();
  s.log.accept({ msg_id: "t", transient: 1, text: "typing…" });
  s.log.accept({ msg_id: "t", transient: 1, text: "typing…" });
  assert.deepEqual(s.log.passing.map((m) => m.after), [2]);
  assert.equal(s.log.last, 2);
});

// ledger is a server whose messages change. Copies are as they are when asked for.
function ledger(n) {
  const s = { messages: [], log: null, calls: [] };
  const changes = [];
  const wire = (m) => ({ ...m });
  s.say = () => {
    const seq = s.messages.length + 1;
    s.messages.push({ seq, msg_id: `m${seq}`, conv_id: "c", client_id: "Jerry", type: -1, text: `#${seq}`, msg_status: 1, version: 1, change_seq: 0 });
    return normal(s.messages.at(-1));
  };
  // make does a change and answers its event.
  const make = (kind, seq, what) => {
    const m = Object.assign(s.messages[seq - 1], what, { change_seq: changes.length + 1 });
    changes.push({ conv_id: "c", change_seq: changes.length + 1, kind, msg_id: m.msg_id, seq, client_id: "Jerry", at: seq });
    return change({ ...changes.at(-1), message: wire(m) });
  };
  s.edit = (seq, text) => make("edit", seq, { text, version: s.messages[seq - 1].version + 1 });
  s.recall = (seq) => make("recall", seq, { text: null, msg_status: 3 });
  s.none = () => { changes.push({ conv_id: "c", change_seq: changes.length + 1, kind: "none", at: 0 }); };
  s.log = new Log({
    page: 10, wait: () => Promise.resolve(),
    fetch: async ({ after_seq, before_seq, limit }) => {
      s.calls.push("list");
      const all = after_seq !== undefined ? s.messages.filter((m) => m.seq > after_seq) : s.messages.filter((m) => m.seq < before_seq).reverse();
      const answer = { data: all.slice(0, limit).map((m) => normal(wire(m))), has_more: all.length > limit };
      await s.pause;
      return answer;
    },
    changes: async ({ after_change, limit }) => {
      s.calls.push("changes");
      const all = changes.slice(after_change);
      const data = all.slice(0, Math.min(limit, s.page ?? limit));
      return {
        data: data.map((c) => change({ ...c, message: c.at ? wire(s.messages[c.at - 1]) : null })),
        has_more: all.length > data.length, last_change: changes.length,
      };
    },
    get: async (msg_id) => {
      s.calls.push("get");
      const answer = normal(wire(s.messages.find((m) => m.msg_id === msg_id)));
      await s.pause;
      return answer;
    },
  });
  for (let i = 0; i < n; i++) s.say();
  return s;
}

const texts = (log) => log.messages.map((m) => m.text);

test("changes are applied in their order, each once", async () => {
  const s = ledger(2);
  await s.log.open(0);
  const edit = s.edit(1, "new");
  s.log.change(edit);
  s.log.change(edit);
  assert.deepEqual(texts(s.log), ["new", "#2"]);
  assert.equal(s.log.messages[0].version, 2);
  s.log.change(s.recall(2));
  assert.deepEqual(texts(s.log), ["new", null]);
  assert.equal(s.log.changed, 2);
  assert.deepEqual(s.calls, ["list"], "nothing was missing, so nothing is fetched");
});

test("changes out of order end at the newest copy", async () => {
  const s = ledger(1);
  await s.log.open(0);
  const [first, second, third] = [s.edit(1, "one"), s.edit(1, "two"), s.edit(1, "three")];
  for (const c of [third, first, second]) s.log.change(c);
  assert.deepEqual(texts(s.log), ["three"]);
  assert.equal(s.log.changed, 3);
});

test("a gap in the changes is fetched, page by page", async () => {
  const s = ledger(3);
  s.page = 1;
  await s.log.open(0);
  s.edit(1, "missed");
  s.none();
  s.recall(2);
  s.log.change(s.edit(3, "seen"));
  assert.deepEqual(texts(s.log), ["#1", "#2", "seen"], "a copy counts at once");
  await settle();
  await settle();
  assert.deepEqual(texts(s.log), ["missed", null, "seen"]);
  assert.equal(s.log.changed, 4);
});

test("a recall that comes before its message leaves nothing of it", async () => {
  const s = ledger(1);
  await s.log.open(0);
  const message = s.say();
  s.log.change(s.recall(2));
  s.log.accept(message);
  assert.deepEqual(texts(s.log), ["#1", null]);
  // Nor of one that waits for a gap.
  s.say();
  const late = s.say();
  s.log.accept(late);
  s.log.change(s.recall(4));
  await settle();
  assert.deepEqual(texts(s.log), ["#1", null, "#3", null]);
});

test("a recall while the page with its message is on the way leaves nothing of it", async () => {
  const s = ledger(2);
  let go;
  s.pause = new Promise((r) => { go = r; });
  const opening = s.log.open(0);
  await settle();
  s.log.change(s.recall(1));
  go();
  await opening;
  assert.deepEqual(texts(s.log), [null, "#2"]);
  assert.equal(s.log.changed, 1);
});

test("changes that came while it was opening are counted, and a gap among them is fetched", async () => {
  const s = ledger(2);
  let go;
  s.pause = new Promise((r) => { go = r; });
  const opening = s.log.open(1); // as a view told before: 1 was known then
  s.none();
  await settle();
  s.edit(1, "missed");
  s.log.change(s.edit(2, "seen"));
  go();
  await opening;
  assert.deepEqual(texts(s.log), ["missed", "seen"]);
  assert.equal(s.log.changed, 3);
});

test("an older page that a change overtook shows the change", async () => {
  const s = ledger(15);
  await s.log.open(0);
  let go;
  s.pause = new Promise((r) => { go = r; });
  const older = s.log.older();
  await settle();
  s.log.change(s.recall(3));
  go();
  await older;
  assert.equal(s.log.messages[2].text, null);
});

test("what the reader deleted stays deleted, whatever becomes of it", async () => {
  const s = ledger(1);
  await s.log.open(0);
  s.none();
  s.log.change(change({ conv_id: "c", change_seq: 1, kind: "delete", msg_id: "m1", seq: 1, client_id: "Tom", message: { ...s.messages[0] } }));
  assert.deepEqual(s.log.messages.map((m) => [m.status, m.text]), [[2, null]]);
  s.log.change(s.edit(1, "edited after"));
  assert.deepEqual(s.log.messages.map((m) => [m.status, m.text]), [[2, null]]);
});

test("a recall takes the text from quotes, here or not, and while they are asked for", async () => {
  const s = ledger(30);
  await s.log.open(0);
  assert.equal(s.log.quote("m25").text, "#25");
  s.log.change(s.recall(25));
  assert.equal(s.log.quote("m25").text, null);

  assert.equal(s.log.quote("m1"), null);
  await settle();
  assert.equal(s.log.quote("m1").text, "#1");
  s.log.change(s.recall(1));
  assert.equal(s.log.quote("m1").text, null);

  let go;
  s.pause = new Promise((r) => { go = r; });
  s.log.quote("m2");
  s.log.change(s.recall(2));
  go();
  await settle();
  assert.equal(s.log.quote("m2").text, null);
  assert.equal(s.calls.filter((c) => c === "get").length, 2, "each is asked for once");
});

test("what is cleared is gone and does not come back", async () => {
  const s = ledger(5);
  await s.log.open(0);
  s.log.clear(3);
  assert.deepEqual(seqs(s.log), [4, 5]);
  s.log.clear(5);
  assert.deepEqual(seqs(s.log), []);
  assert.equal(s.log.complete, true);
  s.log.accept(s.say());
  assert.deepEqual(seqs(s.log), [6], "6 follows 5 though 5 is cleared");
  s.log.copy(normal({ ...s.messages[0], change_seq: 9 }));
  assert.deepEqual(seqs(s.log), [6]);
});

test("an answer of msg.ranges brings messages and changes up to date", async () => {
  const s = ledger(2);
  await s.log.open(0);
  assert.equal(s.log.range({ last_seq: 2, last_change: 0 }), null);
  s.say();
  const edit = s.edit(1, "new");
  assert.deepEqual(s.log.range({ last_seq: 3, last_change: 1 }), { after_seq: 2, after_change: 0 });
  const more = s.log.apply({ data: [normal(s.messages[2])], has_more: false, changes: [edit], more_changes: false, last_change: 1, floor_seq: 0 }, { after_seq: 2, after_change: 0 });
  assert.equal(more, false);
  assert.deepEqual(texts(s.log), ["new", "#2", "#3"]);
  assert.equal(s.log.range({ last_seq: 3, last_change: 1 }), null);
});

test("a message far up is reached page by page", async () => {
  const s = ledger(60);
  await s.log.open(0);
  assert.equal(await s.log.reach(7), true);
  assert.equal(s.log.first, 1);
  assert.equal(await s.log.reach(99), false);
});
