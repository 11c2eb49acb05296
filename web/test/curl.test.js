import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { quote, curlOf } from "../js/curl.js";
import { matches, Tape } from "../js/tape.js";

const context = {
  origin: "http://127.0.0.1:8080", appId: "666666", me: "Tom",
  ops: {
    "msg.send": { method: "POST", path: "/im/conversations/{conv_id}/message" },
    "conv.query": { method: "GET", path: "/im/conversations" },
    "conv.delete": { method: "DELETE", path: "/im/conversations/{conv_id}" },
  },
};

test("a shell reads back what was quoted", () => {
  for (const text of ["plain", "two words", "it's", `"$HOME" \`id\` \\ ; & |`, "新しい\nline", "", "-n", "$(id)"]) {
    assert.equal(execFileSync("sh", ["-c", `printf %s ${quote(text)}`], { encoding: "utf8" }), text);
  }
});

test("an op becomes its call, for the client that made it", () => {
  assert.equal(curlOf("msg.send", { conv_id: "c0", type: -1, text: "it's" }, context).replaceAll(" \\\n  ", " "),
    `curl -X POST -H 'app-id: 666666' -H 'Content-Type: application/json' -d '{"from_client":"Tom","type":-1,"text":"it'\\''s"}' http://127.0.0.1:8080/im/conversations/c0/message`);
  assert.match(curlOf("conv.query", { page: 1 }, context), /-G[^]*'where=\[\["client_id","=","Tom"\]\]'[^]*page=1/);
  assert.doesNotMatch(curlOf("conv.delete", { conv_id: "c0" }, context), / -d /);
  assert.equal(curlOf("login", {}, context), null);
});

test("a filter takes words and leaves out those with a minus", () => {
  const entry = { type: "msg.new", dir: "in", kind: "frame", text: '{"text":"Hello"}' };
  for (const yes of ["", "msg", "msg.new hello", "in -ping"]) assert.equal(matches(entry, yes), true, yes);
  for (const no of ["out", "-hello", "msg -new"]) assert.equal(matches(entry, no), false, no);
});

test("the tape keeps the last part, and nothing while it is paused", () => {
  const tape = new Tape();
  for (let i = 0; i < 2500; i++) tape.add({ kind: "frame", dir: "in", type: "x", text: "", size: 0, at: i });
  assert.equal(tape.entries.length, 2000);
  assert.equal(tape.entries[0].at, 500);
  tape.pause(true);
  tape.add({ kind: "frame", dir: "in", type: "x", text: "", size: 0, at: 1 });
  assert.equal(tape.entries.length, 2000);
  assert.equal(tape.missed, 1);
});
