import { test } from "node:test";
import assert from "node:assert/strict";
import { Inbox } from "../js/skein/inbox.js";
import { change, normal } from "../js/skein/message.js";

const view = (what) => ({
  conv_id: "c", conv_type: 3, client_num: 3, ctime_ms: 1, mtime_ms: null, last_seq: 0, last_change: 0, read_seq: 0, received_seq: 0,
  unread: 0, mentions: 0, join_seq: 1, floor_seq: 0, role: "member", pin: 0, mute: 0, archive: 0, draft: null, last_message: null, ...what,
});
const message = (seq, what) => normal({ conv_id: "c", seq, msg_id: `m${seq}`, from_client: "Jerry", type: -1, text: `#${seq}`, ctime: seq, ...what });

function start(...views) {
  const inbox = new Inbox("Tom");
  const unsure = [];
  inbox.on("unsure", () => unsure.push(1));
  inbox.views(views.length ? views : [view()]);
  return { inbox, conv: inbox.get("c"), unsure };
}

test("messages of others count as unread until they are read", () => {
  const { inbox, conv } = start();
  for (const seq of [1, 2, 2, 1, 3]) inbox.message(message(seq));
  assert.equal(conv.unread, 3);
  inbox.read(conv, 2);
  assert.equal(conv.unread, 1);
  inbox.read(conv, 1);
  assert.equal(conv.unread, 1, "reading goes forward only");
});

test("who speaks has read what was said before", () => {
  const { inbox, conv } = start();
  inbox.message(message(1, { mention_all: 1 }));
  inbox.message(message(2, { from_client: "Tom" }));
  assert.deepEqual([conv.unread, conv.mentions], [0, 0]);
});

test("mentions count by name and with everyone, not one's own", () => {
  const { inbox, conv } = start(view({ last_seq: 4, unread: 4, mentions: 2 }));
  inbox.message(message(5, { mention_client_ids: ["Tom"] }));
  inbox.message(message(6, { mention_all: 1 }));
  inbox.message(message(7, { mention_client_ids: ["Alex"] }));
  assert.equal(conv.mentions, 4);
  inbox.reads("c", [{ client_id: "Tom", read_seq: 7, received_seq: 7 }]);
  assert.deepEqual([conv.mentions, conv.unread], [0, 0], "read on another device");
});

test("a recalled mention calls nobody; where nobody knows, the server is asked", () => {
  const { inbox, conv, unsure } = start(view({ last_seq: 2, unread: 2, mentions: 1 }));
  inbox.message(message(3, { mention_all: 1 }));
  const recall = (seq, change_seq) => change({ conv_id: "c", change_seq, kind: "recall", client_id: "Jerry", message: { ...message(seq), change_seq, client_id: "Jerry", msg_status: 3 } });
  inbox.change(recall(3, 1));
  assert.deepEqual([conv.mentions, unsure.length, conv.last.text, conv.lastChange], [1, 0, null, 1]);
  inbox.change(recall(2, 2));
  assert.equal(unsure.length, 1);
});

test("a message behind a gap counts what is missing, and asks for the mentions among it", () => {
  const { inbox, conv, unsure } = start();
  inbox.message(message(1));
  assert.equal(unsure.length, 0);
  inbox.message(message(5));
  assert.deepEqual([conv.unread, unsure.length], [5, 1]);
});

test("a recall and a deletion for oneself take an unread message away", () => {
  const { inbox, conv, unsure } = start(view({ last_seq: 4, unread: 3 })); // one of four was recalled before
  const became = (kind, seq, n) => inbox.change({ conv_id: "c", change_seq: n, kind, message: message(seq) });
  assert.equal(conv.unread, 3);
  became("recall", 2, 1);
  assert.deepEqual([conv.unread, unsure.length], [2, 0]);
  became("delete", 3, 2); // perhaps the one that was recalled: the server knows
  assert.deepEqual([conv.unread, unsure.length], [2, 1]);
  inbox.message(message(5));
  assert.equal(conv.unread, 3);
  inbox.read(conv, 5);
  assert.equal(conv.unread, 0);
});

test("a read on another device that leaves mentions open asks how many", () => {
  const { inbox, unsure } = start(view({ last_seq: 9, unread: 9, mentions: 2 }));
  inbox.reads("c", [{ client_id: "Tom", read_seq: 4, received_seq: 9 }]);
  assert.equal(unsure.length, 1);
});

test("an answer that was overtaken does not bring back what was read", () => {
  const { inbox, conv } = start(view({ last_seq: 5, unread: 5, mentions: 1 }));
  inbox.read(conv, 5);
  inbox.message(message(6, { mention_all: 1 }));
  inbox.position({ conv_id: "c", read_seq: 4, received_seq: 5, unread: 1, mentions: 0 });
  assert.deepEqual([conv.unread, conv.mentions], [1, 1]);
  inbox.views([view({ last_seq: 5, read_seq: 0, unread: 5, mentions: 1, last_message: { ...message(5), client_id: "Jerry" } })]);
  assert.deepEqual([conv.unread, conv.mentions, conv.last.seq], [1, 1, 6]);
});

test("the list has those on top first, then the newest activity, and the archived apart", () => {
  const { inbox } = start(view({ conv_id: "old", ctime_ms: 1 }), view({ conv_id: "new", ctime_ms: 9 }), view({ conv_id: "top", ctime_ms: 2, pin: 1 }), view({ conv_id: "away", ctime_ms: 5, archive: 1 }));
  assert.deepEqual(inbox.list().map((c) => c.id), ["top", "new", "old"]);
  assert.deepEqual(inbox.list({ archived: true }).map((c) => c.id), ["away"]);
  inbox.message(message(1, { conv_id: "old", ctime: 50 }));
  assert.deepEqual(inbox.list().map((c) => c.id), ["top", "old", "new"]);
});

test("how far the others are only grows", () => {
  const { inbox, conv } = start();
  inbox.reads("c", [{ client_id: "Jerry", read_seq: 3, received_seq: 4 }, { client_id: "Alex", read_seq: 0, received_seq: 4 }]);
  inbox.reads("c", [{ client_id: "Jerry", read_seq: 2, received_seq: 2 }]);
  assert.deepEqual([conv.readBy(3), conv.readBy(4), conv.readBy(4, "received")], [1, 0, 2]);
});

test("another who speaks has read what was said before", () => {
  const { inbox, conv } = start();
  inbox.message(message(1, { from_client: "Tom" }));
  inbox.message(message(2));
  assert.deepEqual([conv.readBy(1), conv.readBy(1, "received")], [1, 1]);
});

test("a cleared history has no last message and nothing unread", () => {
  const { inbox, conv } = start(view({ last_seq: 3, unread: 3, last_message: { ...message(3), client_id: "Jerry" } }));
  assert.equal(conv.last.seq, 3);
  inbox.views([view({ last_seq: 3, read_seq: 3, floor_seq: 3 })]);
  assert.deepEqual([conv.last, conv.unread], [null, 0]);
});

test("a message deleted for oneself is blank in the list, and an edit of the last is seen", () => {
  const { inbox, conv } = start();
  inbox.message(message(1));
  inbox.change(change({ conv_id: "c", change_seq: 1, kind: "edit", client_id: "Jerry", message: { ...message(1), client_id: "Jerry", text: "new", change_seq: 1, version: 2 } }));
  assert.equal(conv.last.text, "new");
  inbox.change(change({ conv_id: "c", change_seq: 2, kind: "delete", client_id: "Tom", message: { ...message(1), client_id: "Jerry", change_seq: 1 } }));
  assert.deepEqual([conv.last.status, conv.last.text], [2, null]);
});

test("after a reset what is not told again is gone, and what is starts from there", () => {
  const { inbox, conv } = start(view({ last_seq: 90, read_seq: 90 }), view({ conv_id: "gone" }));
  inbox.reset();
  inbox.views([view({ last_seq: 3, read_seq: 1, unread: 2 })]);
  assert.deepEqual(inbox.prune().map((c) => c.id), ["gone"]);
  assert.deepEqual([conv.lastSeq, conv.unread], [3, 2]);
});

test("what is unknown is said to be so", () => {
  const { inbox } = start();
  assert.equal(inbox.message(message(1, { conv_id: "x" })), false);
  assert.equal(inbox.conversation({ conv_id: "x" }), false);
  assert.equal(inbox.change(change({ conv_id: "x", change_seq: 1, kind: "none" })), false);
});

test("an edit alters whom an unread message mentions", () => {
  const edit = (inbox, seq, change_seq, what) => inbox.change(change({
    conv_id: "c", change_seq, kind: "edit", client_id: "Jerry",
    message: { conv_id: "c", seq, msg_id: `m${seq}`, client_id: "Jerry", type: -1, text: "edited", ctime: seq, msg_status: 1, change_seq, ...what },
  }));
  const { inbox, conv, unsure } = start();
  inbox.message(message(1));
  edit(inbox, 1, 1, { mention_client_ids: ["Tom"] });
  edit(inbox, 1, 2, { mention_all: 1 });
  assert.deepEqual([conv.mentions, unsure.length], [1, 0]);
  edit(inbox, 1, 3, { mention_client_ids: ["Alex"] });
  assert.deepEqual([conv.mentions, unsure.length], [0, 0]);
  inbox.read(conv, 1);
  edit(inbox, 1, 4, { mention_all: 1 });
  assert.equal(conv.mentions, 0, "it is read");
  const known = start(view({ last_seq: 2, unread: 2, mentions: 1 }));
  edit(known.inbox, 1, 1, { mention_all: 1 });
  assert.equal(known.unsure.length, 1, "it may be the one that is counted");
});
