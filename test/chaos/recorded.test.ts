// What `npm run chaos` holds runs against sees whatever differs, and nothing that may.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leftBehind } from "../../chaos/leftovers.mjs";
import { differencesFrom, recordedIn, resumedIn, wronglyResumed } from "../../chaos/recorded.mjs";
import { temporaryDirectory } from "../experiment/scene.js";

const RUN = { arm: "a", seed: 0, state: "done", finalCheckpoint: 9 };
const MANIFEST = { arm: "a", seed: 0, step: 9, state: { step: 9 }, files: {}, records: { "metrics.jsonl": 2 } };

/** A run directory, and a copy of it. */
function twice() {
  const base = temporaryDirectory();
  const [first, second] = [join(base, "first"), join(base, "second")];
  mkdirSync(join(first, "a/seed-0/orders"), { recursive: true });
  mkdirSync(join(first, "a/seed-0/checkpoint/9"), { recursive: true });
  const write = (name: string, data: string) => writeFileSync(join(first, "a/seed-0", name), data);
  write("metrics.jsonl", "{}\n");
  write("timings.jsonl", "{}\n");
  write("orders/0000.u32", "abcd");
  write("run.json", JSON.stringify(RUN));
  write("checkpoint/9/model.safetensors", "weights");
  write("checkpoint/9/manifest.json", JSON.stringify(MANIFEST));
  write("SHA256SUMS", `# 4 bytes\n${createHash("sha256").update("abcd").digest("hex")}  orders/0000.u32\n`);
  cpSync(first, second, { recursive: true });
  return { first, second, change: (name: string, data: string) => writeFileSync(join(second, "a/seed-0", name), data) };
}

test("a copy does not differ, nor what tells of time and of attempts", () => {
  const { first, second, change } = twice();
  change("timings.jsonl", "other\n");
  change(
    "run.json",
    JSON.stringify({
      ...RUN,
      commit: "abc+changes",
      startedAt: "then",
      resumed: [{ at: "later", step: 3 }],
      sideBySide: 2,
    }),
  );
  change(
    "checkpoint/9/manifest.json",
    JSON.stringify({ ...MANIFEST, sha256: "x", records: { "metrics.jsonl": 2, t: 1 } }),
  );
  expect(differencesFrom(recordedIn(first), second)).toEqual([]);
});

test.each([
  ["metrics.jsonl", "{} \n"],
  ["run.json", JSON.stringify({ ...RUN, state: "failed" })],
  ["checkpoint/9/model.safetensors", "weightz"],
  ["checkpoint/9/manifest.json", JSON.stringify({ ...MANIFEST, state: { step: 8 } })],
])("%s differs", (name, data) => {
  const { first, second, change } = twice();
  change(name, data);
  expect(differencesFrom(recordedIn(first), second)).toEqual([`a/seed-0/${name} differs`]);
});

test("files that are missing, that came, and that are not as the run's own list says", () => {
  const { first, second, change } = twice();
  change("orders/0000.u32", "abcx");
  rmSync(join(second, "a/seed-0/metrics.jsonl"));
  change("orders/0001.u32", "abcd");
  expect(differencesFrom(recordedIn(first), second)).toEqual([
    "a/seed-0/metrics.jsonl is missing",
    "a/seed-0/orders/0001.u32 is not in the undisturbed run",
    "a/seed-0/orders/0000.u32 differs",
    "a/seed-0/SHA256SUMS: orders/0000.u32 is not as listed",
  ]);
});

test("where a run has gone on, as it is recorded", () => {
  const base = temporaryDirectory();
  mkdirSync(join(base, "a/seed-0"), { recursive: true });
  const write = (document: object) => writeFileSync(join(base, "a/seed-0/run.json"), JSON.stringify(document));
  write(RUN);
  expect(resumedIn(base, "a")).toEqual([]);
  write({
    ...RUN,
    resumed: [
      { at: "then", step: 3 },
      { at: "later", step: 9 },
    ],
  });
  expect(resumedIn(base, "a")).toEqual([3, 9]);
});

describe("runs have on record where they went on", () => {
  const wrong = (said: number[], recorded: number[], isWhole: boolean) => {
    const out = temporaryDirectory();
    mkdirSync(join(out, "a/seed-0"), { recursive: true });
    const resumed = recorded.map((step) => ({ at: "then", step }));
    writeFileSync(join(out, "a/seed-0/run.json"), JSON.stringify({ ...RUN, ...(recorded.length > 0 && { resumed }) }));
    return wronglyResumed(out, new Map([["a", said]]), isWhole);
  };

  test.each([
    [[], [], true],
    [[3, 9], [3, 9], true],
    [[9], [3, 9], false],
  ])("said [%s], recorded [%s], all of it said: %s", (said, recorded, isWhole) => {
    expect(wrong(said, recorded, isWhole)).toEqual([]);
  });

  test.each([
    [[9], [3, 9], true],
    [[9], [], false],
    [[3, 9], [3], false],
    [[], [3], false],
  ])("not so where [%s] was said, [%s] recorded, all of it said: %s", (said, recorded, isWhole) => {
    expect(wrong(said, recorded, isWhole)).toEqual([`a went on from steps [${said}], and [${recorded}] are on record`]);
  });
});

test("what is left behind: a lock, a half-written file, a temporary one", async () => {
  const { second: out, change } = twice();
  const temporary = temporaryDirectory();
  expect(await leftBehind({ out, temporary, folder: "/nobody's" })).toEqual([]);
  writeFileSync(join(out, "lock"), "");
  change("run.json.partial", "");
  mkdirSync(join(temporary, "ibatch-1"));
  expect((await leftBehind({ out, temporary, folder: "/nobody's" })).sort()).toEqual([
    "a/seed-0/run.json.partial is left",
    "ibatch-1 is left among temporary files",
    "lock is left",
  ]);
});
