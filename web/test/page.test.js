// The page as it is shipped: what it weighs, and that nothing is fetched late.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const root = new URL("..", import.meta.url);
const files = readdirSync(root, { recursive: true }).filter((f) => /^(index\.html|favicon\.svg|css\/.*\.css|js\/.*\.js)$/.test(f));

test("all of it is below 90 KB, compressed as it is sent", () => {
  const size = files.reduce((sum, f) => sum + gzipSync(readFileSync(new URL(f, root)), { level: 9 }).length, 0);
  assert.ok(size > 40_000 && size < 90_000, `${size} bytes`);
});

test("every module is fetched at once, not one after the other", () => {
  const index = readFileSync(new URL("index.html", root), "utf8");
  const named = [...index.matchAll(/(?:src|href)="([^"/#][^"]*)"/g)].map((m) => m[1]);
  assert.deepEqual(named.filter((f) => !files.includes(f)), [], "all that is named is there");
  assert.deepEqual(files.filter((f) => f !== "index.html" && !named.includes(f)), [], "all that is there is named");
});
