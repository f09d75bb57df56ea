// The list of a finished run's files, and what is noticed by it.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { formatChecksums, parseChecksums } from "../../src/record/checksums.js";
import { Unreadable } from "../../src/record/read-file.js";
import { RunRecord } from "../../src/record/run-record.js";
import { mistake } from "../mistake.js";
import { make, SMALL } from "../page/scene.js";

const finished = () => join(make(SMALL), "sorted", "seed-1");
const recordOf = (run: string) => new RunRecord(run, { orders: "full", signals: "full" });

test("sha256sum itself finds every file of a finished run as it was recorded", () => {
  const run = finished();
  const said = execFileSync("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: run, encoding: "utf8" });
  const checked = said.split("\n").filter(Boolean);
  expect(checked).toContain("run.json: OK");
  expect(checked).toContain("signals/prediction/0002.u32: OK");
  expect(checked).toHaveLength(18);
  expect(checked.every((line) => line.endsWith(": OK"))).toBe(true);
});

test("a run that is under way has none, and one that a kill ended between list and last run.json is unfinished", () => {
  const run = finished();
  const document = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  writeFileSync(join(run, "run.json"), JSON.stringify({ ...document, state: "running", checksums: undefined }));
  expect(recordOf(run).read()).toMatchObject({ state: "running" });
  recordOf(run).start({ ...document, state: "running", checksums: undefined });
  expect(existsSync(join(run, "SHA256SUMS"))).toBe(false);
});

test("its absence is damage, and records of before there was such are read without", () => {
  const run = finished();
  rmSync(join(run, "SHA256SUMS"));
  expect(mistake(() => recordOf(run).read())).toContain("SHA256SUMS is missing: remove");
  const { checksums, ...document } = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  expect(checksums).toBe("SHA256SUMS");
  writeFileSync(join(run, "run.json"), JSON.stringify(document));
  expect(recordOf(run).read()).toEqual(document);
});

test("one that a kill left behind says nothing of a run that failed since", () => {
  const run = finished();
  const { checksums, ...document } = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  writeFileSync(join(run, "run.json"), JSON.stringify({ ...document, state: "running" }));
  recordOf(run).writeEndOutside({ ...document, state: "failed", error: "its backend was lost" });
  expect(recordOf(run).read()).toMatchObject({ state: "failed", error: "its backend was lost" });
  recordOf(run).start({ ...document, state: "running" });
  expect(recordOf(run).read()).toMatchObject({ state: "running" });
  expect(checksums).toBe("SHA256SUMS");
});

test("a finished run that was made a failed one is damage: it is not done again", () => {
  const run = finished();
  const text = readFileSync(join(run, "run.json"), "utf8");
  writeFileSync(join(run, "run.json"), text.replace('"done"', '"failed"'));
  expect(mistake(() => recordOf(run).read())).toContain("run.json is damaged");
});

test("a file that it does not list is damage; a user's own is none", () => {
  const run = finished();
  writeFileSync(join(run, "notes.txt"), "mine");
  expect(recordOf(run).read()).toMatchObject({ state: "done" });
  cpSync(join(run, "orders/0002.u32"), join(run, "orders/0003.u32"));
  expect(mistake(() => recordOf(run).read())).toContain("orders/0003.u32 is damaged (SHA256SUMS does not list it)");
});

test("a run under another's name is refused", () => {
  const run = finished();
  const copy = join(mkdtempSync(join(tmpdir(), "ibatch-copy-")), "sorted", "seed-2");
  onTestFinished(() => rmSync(join(copy, "../.."), { recursive: true }));
  cpSync(run, copy, { recursive: true });
  expect(mistake(() => recordOf(copy).read())).toContain(
    `${copy}/run.json is damaged (it is of sorted/seed-1): move this run to where it belongs, or remove ${copy}`,
  );
});

test("is read back as it was written, and refused where it is cut or changed in form", () => {
  const list = new Map([["run.json", { sha256: "a".repeat(64), bytes: 12 }]]);
  const text = formatChecksums(list);
  expect(parseChecksums(text)).toEqual(list);
  for (const damaged of ["", text.slice(0, -1), text.slice(0, -9), text.replace("# 12 bytes\n", ""), text.slice(9)]) {
    expect(() => parseChecksums(damaged)).toThrow(Unreadable);
  }
});
