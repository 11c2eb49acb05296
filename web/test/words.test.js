import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

globalThis.document = { documentElement: { lang: "zh-CN" } };
const { t, has, bytes, explain } = await import("../js/i18n.js");

const sources = readdirSync(new URL("../js", import.meta.url), { recursive: true })
  .filter((name) => name.endsWith(".js"))
  .map((name) => readFileSync(new URL(`../js/${name}`, import.meta.url), "utf8"));

test("every word that is asked for is there", () => {
  const missing = sources.flatMap((s) => [...s.matchAll(/\bt\("(\w+)"/g)]).map((m) => m[1]).filter((key) => !has(key));
  assert.deepEqual(missing, []);
});

test("every word is there in both languages, with the same names in it", () => {
  const table = readFileSync(new URL("../js/i18n.js", import.meta.url), "utf8").match(/const words = \{([\s\S]*?)\n\};/)[1];
  const names = (text) => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort().join();
  let n = 0;
  for (const [, key, en, zh] of table.matchAll(/^ {2}(\w+): \["([^"]*)", "([^"]*)"\],$/gm)) {
    n++;
    assert.ok(en && zh, key);
    assert.equal(names(en), names(zh), key);
  }
  assert.equal(n, table.trim().split("\n").length, "each line of the table is read");
});

test("no word is left over", () => {
  const all = sources.join("\n");
  const table = all.match(/const words = \{([\s\S]*?)\n\};/)[1];
  const rest = all.replace(table, "");
  const unused = [...table.matchAll(/^ {2}(\w+):/gm)].map((m) => m[1])
    .filter((key) => !rest.includes(`"${key}"`) && !/^(fix\d+|why_\w+|private|temporary|group|room|auto|light|dark)$/.test(key));
  assert.deepEqual(unused, []);
});

test("texts are filled in", () => {
  assert.equal(t("members", { n: 3 }), "3 位成员");
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(12_345), "12.3 kB");
  assert.match(explain({ kind: "refused", code: 4290, message: "rate limited" }), /^Rate limited\. /);
});
