// Every file of a small finished experiment, damaged in every way: noticed, named in one line, and the rest is shown.
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { exportCsv } from "../../src/export/csv.js";
import { exportMarkdown } from "../../src/export/markdown.js";
import { exportMetrics } from "../../src/export/metrics.js";
import { exportTorch } from "../../src/export/torch.js";
import { renderPage } from "../../src/page/page.js";
import { readReportData } from "../../src/page/read.js";
import { writeValidation } from "../../src/record/validation-record.js";
import { readExperiment } from "../../src/results/recorded-experiment.js";
import { readResults } from "../../src/results/recorded-results.js";
import { mistake } from "../mistake.js";
import { make, SAMPLES, SMALL } from "../page/scene.js";

const RUN = join("sorted", "seed-1");
const python = "/nowhere/python";
const { signal } = new AbortController();

const WAYS: Readonly<Record<string, (path: string) => void>> = {
  missing: (path) => rmSync(path),
  empty: (path) => truncateSync(path),
  "cut off": (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  "a byte of it another": (path) => {
    const bytes = readFileSync(path);
    const digit = bytes.findLastIndex((byte) => byte >= 0x30 && byte <= 0x38);
    bytes[Math.max(digit, 0)] += 1;
    writeFileSync(path, bytes);
  },
  "of another kind": (path) => writeFileSync(path, "no such thing\n"),
  "a directory": (path) => replace(path, () => mkdirSync(path)),
  "a link that leads nowhere": (path) => replace(path, () => symlinkSync("/nowhere/at/all", path)),
  "a link that leads in a circle": (path) => replace(path, () => symlinkSync(path, path)),
};

function replace(path: string, make: () => void): void {
  rmSync(path);
  make();
}

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Does this with each of the files damaged in turn; they are whole again afterwards. */
function withEach(paths: readonly string[], damage: (path: string) => void, act: (path: string) => void): void {
  for (const path of paths) {
    const bytes = readFileSync(path);
    damage(path);
    act(path);
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, bytes);
  }
}

/** What `ibatch report` reads: the runs that it shows, and what it leaves out. */
function reported(directory: string) {
  const experiment = readExperiment(directory, { withArrays: true });
  const { arms, leftOut } = readReportData(directory, experiment);
  return { shown: arms.flatMap(({ arm, runs }) => runs.map(({ seed }) => `${arm} ${seed}`)), leftOut };
}

const ONE_LINE = /^[^\n]*$/;

test.each(Object.entries(WAYS))("a file of a run that is %s", (_, damage) => {
  const directory = make(SMALL);
  const paths = filesBelow(join(directory, RUN));
  expect(paths).toHaveLength(19);
  withEach(paths, damage, (path) => {
    const { shown, leftOut } = reported(directory);
    expect(shown, path).toEqual(["shuffled 0", "shuffled 1", "sorted 0"]);
    expect(leftOut, path).toHaveLength(1);
    const byList = path.endsWith("SHA256SUMS"); // a wrong entry there is told of its file
    expect(leftOut[0]).toContain(byList ? join(directory, RUN) : path);
    expect(leftOut[0]).toMatch(ONE_LINE);
    expect(leftOut[0]).toContain(`remove ${join(directory, RUN)}, and the same command does this run again`);
  });
  expect(reported(directory).leftOut).toEqual([]);
});

test.each(Object.entries(WAYS))("a file beside the runs that is %s", (way, damage) => {
  const directory = make(SMALL);
  writeValidation(directory, {
    date: "2026-01-02",
    command: "ibatch validate",
    ibatchVersion: "0.1.0",
    torch: "2.9",
    arm: "sorted",
    seed: 1,
    batches: 1,
    configHash: "c",
    checks: [],
  });
  const paths = [...filesBelow(join(directory, "datasets")), join(directory, "validation.json")];
  expect(paths).toHaveLength(4);
  withEach(paths, damage, (path) => {
    const { shown, leftOut } = reported(directory);
    expect(shown).toEqual(["shuffled 0", "shuffled 1", "sorted 0", "sorted 1"]);
    if (way === "missing" && path.endsWith("validation.json")) return; // as where nothing was validated
    expect(leftOut, path).toHaveLength(1);
    expect(leftOut[0]).toContain(`${path} `);
    expect(leftOut[0]).toMatch(ONE_LINE);
  });
});

test.each(Object.entries(WAYS))("an experiment.json that is %s is refused in one line", (way, damage) => {
  const directory = make(SMALL);
  withEach([join(directory, "experiment.json")], damage, (path) => {
    const message = mistake(() => readExperiment(directory));
    expect(message).toContain(way === "missing" ? `${directory} holds no experiment` : `${path} is damaged (`);
    expect(message).toMatch(ONE_LINE);
  });
});

const PLACES: Readonly<Record<string, (path: string) => void>> = {
  "a file": (path) => writeFileSync(path, "mine"),
  "a link to a file": (path) => symlinkSync("/dev/null", path),
  "a link that leads nowhere": (path) => symlinkSync("/nowhere/at/all", path),
  "a link that leads in a circle": (path) => symlinkSync(path, path),
};
const WHY: Readonly<Record<string, string>> = {
  "a file": "is a file, where a directory belongs: move it",
  "a link to a file": "is a link to a file, where a directory belongs: move it",
  "a link that leads nowhere": "is a link to /nowhere/at/all, which is not there: bring that back, or remove it",
  "a link that leads in a circle": "is a link that leads in a circle: remove it",
};

/** With that in its place; nothing is written or deleted there. */
function inPlaceOf(directory: string, name: string, put: (path: string) => void): string {
  const path = join(directory, name);
  renameSync(path, `${directory}-aside`);
  onTestFinished(() => rmSync(`${directory}-aside`, { recursive: true, force: true }));
  put(path);
  return path;
}

describe.each(Object.entries(PLACES))("%s in the place", (what, put) => {
  test.each([
    ["of an arm", "sorted", ["shuffled 0", "shuffled 1"]],
    ["of a run", "sorted/seed-1", ["shuffled 0", "shuffled 1", "sorted 0"]],
    ["of the datasets", "datasets", ["shuffled 0", "shuffled 1", "sorted 0", "sorted 1"]],
    ["of a dataset", "datasets/dddddddd", ["shuffled 0", "shuffled 1", "sorted 0", "sorted 1"]],
  ])("%s is said in a line by report and every export, and the rest is shown", async (_, name, rest) => {
    const directory = make(SMALL);
    const path = inPlaceOf(directory, name, put);
    const { shown, leftOut } = reported(directory);
    expect(shown).toEqual(rest);
    expect(leftOut).toEqual([`${path} ${WHY[what]}`]);
    const asked = { directory, out: undefined, python, signal };
    if (name.startsWith("datasets")) {
      await expect(exportTorch(asked)).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(path) });
      expect(readdirSync(directory)).not.toContain("export"); // orders that cannot be compared with a user's data stay here
      return;
    }
    for (const exportTo of [exportCsv, exportMarkdown, exportMetrics, exportTorch]) {
      expect((await exportTo(asked)).leftOut).toEqual(leftOut);
    }
  });
});

test("a link of an arm that the last command did not name leads nowhere: said; a file of one's own is not", () => {
  const directory = make(SMALL);
  symlinkSync("/nowhere/at/all", join(directory, "other"));
  writeFileSync(join(directory, "notes"), "mine");
  symlinkSync("/nowhere/at/all", join(directory, "log.txt"));
  expect(reported(directory).leftOut).toEqual([`${join(directory, "other")} ${WHY["a link that leads nowhere"]}`]);
});

test("an arm, or a run, that may not be read is said in a line, and the rest is shown", () => {
  for (const [name, count] of [
    ["sorted", 2],
    [RUN, 3],
  ] as const) {
    const directory = make(SMALL);
    const path = join(directory, name);
    chmodSync(directory, 0o755);
    chmodSync(path, 0);
    onTestFinished(() => chmodSync(path, 0o755));
    const { shown, leftOut } = asNobody(() => reported(directory));
    expect(leftOut).toEqual([`${path} cannot be read (no permission): allow that`]);
    expect(shown).toHaveLength(count);
  }
});

test("an experiment's directory that may not be read, or is none, is told as that", () => {
  const directory = make(SMALL);
  onTestFinished(() => chmodSync(directory, 0o755));
  for (const [mode, kind, said] of [
    [0o000, "usage", `${directory} cannot be read (no permission): allow that`],
    [
      0o444,
      "surroundings",
      `${directory}/experiment.json cannot be read (no permission): mend that and give the same command again`,
    ],
  ] as const) {
    chmodSync(directory, mode);
    expect(asNobody(() => mistake(() => readExperiment(directory), kind))).toContain(said);
  }
  const file = join(directory, "table.md");
  chmodSync(directory, 0o755);
  writeFileSync(file, "");
  expect(mistake(() => readExperiment(file))).toBe(`${file} is a file: name a directory of \`ibatch run\``);
});

/** To the superuser nothing is forbidden. */
function asNobody<T>(act: () => T): T {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

test("table, page and every export are made of the other runs, and say which is left out", async () => {
  const directory = make(SMALL);
  const path = join(directory, RUN, "metrics.jsonl");
  copyFileSync(join(directory, "sorted", "seed-0", "metrics.jsonl"), path);
  const said = `${path} is damaged (`;
  const { table, damaged, findings } = await readResults(directory, { python, signal });
  expect(damaged.map(({ arm, seed }) => ({ arm, seed }))).toEqual([{ arm: "sorted", seed: 1 }]);
  expect(table).toContain(`- Left out: ${said}`);
  expect(table).toMatch(/\| shuffled .*84\.38/);
  const page = renderPage(readReportData(directory), findings);
  expect(page).toContain('<section id="left-out">');
  expect(page).toContain(said);
  const asked = { directory, out: undefined, python, signal };
  for (const exportTo of [exportCsv, exportMarkdown, exportMetrics, exportTorch]) {
    const { leftOut } = await exportTo(asked);
    expect(leftOut).toHaveLength(1);
    expect(leftOut[0]).toContain(said);
  }
  const exported = filesBelow(join(directory, "export")).map((file) => relative(join(directory, "export"), file));
  expect(exported).toContain("torch/sorted/seed-0/orders/0000.u32");
  expect(exported.filter((file) => file.includes("sorted/seed-1"))).toEqual([]);
});

test("test predictions that are not what the run recorded make no arm a collapsed one", async () => {
  const directory = make(SMALL);
  const path = join(directory, RUN, "test-predictions.u32");
  writeFileSync(path, new Uint8Array(statSync(path).size));
  const { damaged, findings, table } = await readResults(directory, { python, signal });
  expect(findings.arms.map(({ collapsed }) => collapsed)).toEqual([undefined, undefined]);
  expect(damaged).toMatchObject([{ arm: "sorted", seed: 1, damage: expect.stringContaining(`${path} is damaged (`) }]);
  expect(table).toContain(`- Left out: ${path} is damaged (`);
});

test("an arm whose recorded test predictions are one class is a collapsed one", async () => {
  const directory = make(SMALL);
  for (const seed of [0, 1]) {
    const run = join(directory, "sorted", `seed-${seed}`);
    const document = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
    delete document.checksums;
    writeFileSync(join(run, "run.json"), JSON.stringify(document)); // of before there were lists
    rmSync(join(run, "SHA256SUMS"));
    writeFileSync(join(run, "test-predictions.u32"), new Uint8Array(4 * SAMPLES));
  }
  const { findings } = await readResults(directory, { python, signal });
  expect(findings.arms[0].collapsed).toBeUndefined();
  expect(findings.arms[1].collapsed).toMatch(/^collapsed: with every seed it answers one class for all test samples/);
});

test("an export of orders takes none home that is damaged", async () => {
  const directory = make(SMALL);
  const path = join(directory, RUN, "orders", "0001.u32");
  const bytes = readFileSync(path);
  bytes[0] ^= 1;
  writeFileSync(path, bytes);
  const { leftOut } = await exportTorch({ directory, out: undefined, python, signal });
  expect(leftOut).toHaveLength(1);
  expect(leftOut[0]).toContain(`${path} is damaged (`);
  const labels = createHash("sha256").update(readFileSync(join(directory, "datasets", "dddddddd", "labels.u32")));
  const named = readFileSync(join(directory, "export", "torch", "sorted", "seed-0", "dataset.json"), "utf8");
  const dataSha256 = "d".repeat(64);
  expect(JSON.parse(named)).toEqual({ name: "tiny", n: 12, labelsSha256: labels.digest("hex"), dataSha256 });
  const orders = (run: string) => filesBelow(join(directory, "export", "torch", run)).length;
  expect(orders("sorted/seed-0")).toBe(7);
  expect(() => orders("sorted/seed-1")).toThrow("ENOENT");
});

test("the small files that were exported are whole by the list that goes with them", async () => {
  const directory = make(SMALL);
  const { written } = await exportMetrics({ directory, out: undefined, python, signal });
  const place = written.trimEnd();
  expect(readExperiment(place, { withArrays: true })).toMatchObject({ damaged: [], runs: [{}, {}, {}, {}] });
  const path = join(place, RUN, "metrics.jsonl");
  writeFileSync(path, readFileSync(path, "utf8").replace('"accuracy":0.6875', '"accuracy":0.6876'));
  const { damaged } = readExperiment(place);
  expect(damaged).toHaveLength(1);
  expect(damaged[0].damage).toContain(`${path} is damaged (it is not what the run recorded: SHA-256 `);
});
