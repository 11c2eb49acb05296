import { test } from "node:test";
import assert from "node:assert/strict";
import { Log } from "../js/skein/log.js";
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
