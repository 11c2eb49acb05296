// rows.js: the rows that a conversation shows. No DOM.

import { Status } from "./skein/message.js";

const GROUP_GAP = 5 * 60_000; // messages of one sender with smaller gaps form a group

// rowsOf joins stored messages, transient messages and messages that are being sent.
// Messages that the user deleted have no row.
export function rowsOf({ log, pending, me }) {
  const rows = [];
  const push = (m) => {
    if (m.status === Status.deleted) return;
    const before = rows.at(-1)?.m;
    const apart = !before || dayOf(before.ctime) !== dayOf(m.ctime);
    const joins = !apart && before.from === m.from && m.ctime - before.ctime < GROUP_GAP
      && (before.status === Status.recalled) === (m.status === Status.recalled);
    if (joins) rows.at(-1).ends = false;
    rows.push({ key: keyOf(m, me), m, own: m.from === me, day: apart, starts: !joins, ends: true });
  };
  const passing = [...(log?.passing ?? [])];
  for (const m of log?.messages ?? []) {
    while (passing.length && passing[0].after < m.seq) push(passing.shift());
    push(m);
  }
  passing.forEach(push);
  for (const m of log?.ahead ?? []) if (m.from === me) push(m);
  for (const entry of pending) {
    push({
      mentions: [], reactions: [], ...entry.body, entry, conv_id: entry.conv_id, from: me, client_msg_id: entry.client_msg_id,
      ctime: entry.at, status: Status.normal, preview: entry.preview,
    });
  }
  return rows;
}

// A message keeps its key while it is being sent and after its answer.
function keyOf(m, me) {
  if (m.from === me && m.client_msg_id) return `c${m.client_msg_id}`;
  return m.seq ? `s${m.seq}` : `t${m.msg_id}`;
}

let last = { from: 0, to: 0, day: 0 }; // two messages in a row are usually from the same day

function dayOf(ms) {
  if (ms >= last.from && ms < last.to) return last.day;
  const d = new Date(ms);
  const from = new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const to = new Date(d.getFullYear(), d.getMonth(), d.getDate() + 1).getTime();
  last = { from, to, day: from };
  return from;
}
