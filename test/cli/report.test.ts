import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { make, SMALL } from "../page/scene.js";
import { isPythonMissing } from "../warm-python/missing.js";
import { ibatch } from "./run-main.js";

function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-empty-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("ibatch report DIR writes report.html there, twice the same, and leaves no lock", async () => {
  const directory = make(SMALL);
  const path = join(directory, "report.html");
  expect(await ibatch("report", directory)).toEqual({ code: 0, stdout: `${path}\n`, stderr: "" });
  const first = readFileSync(path, "utf8");
  expect((await ibatch("report", directory)).code).toBe(0);
  expect(readFileSync(path, "utf8")).toBe(first);
  expect(existsSync(join(directory, "lock"))).toBe(false);
});

test("ibatch report DIR writes table, summary and statistics of all that is on record; --out leaves them alone", async () => {
  const directory = make(SMALL);
  const [table, summary] = ["table.md", "summary.json"].map((name) => join(directory, name));
  expect((await ibatch("report", directory, "--out", join(emptyDirectory(), "now.html"))).code).toBe(0);
  expect([table, summary].map((path) => existsSync(path))).toEqual([false, false]);
  expect((await ibatch("report", directory)).code).toBe(0);
  expect(readFileSync(table, "utf8")).toContain("| shuffled |");
  expect(JSON.parse(readFileSync(summary, "utf8")).arms).toMatchObject([{ done: 2 }, { done: 2 }]);
  expect(existsSync(join(directory, "statistics.json"))).toBe(!isPythonMissing);
});

test("a directory that a run has taken: refused, but --out makes the page elsewhere", async () => {
  const directory = make(SMALL);
  const other = process.ppid; // lives, and is not this process
  writeFileSync(join(directory, "lock"), JSON.stringify({ pid: other, host: hostname() }));
  const { code, stderr } = await ibatch("report", directory);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`in use by process ${other}`) });
  expect(existsSync(join(directory, "report.html"))).toBe(false);
  const out = join(emptyDirectory(), "now.html");
  expect(await ibatch("report", directory, "--out", out)).toEqual({ code: 0, stdout: `${out}\n`, stderr: "" });
  expect(readFileSync(out, "utf8")).toMatch(/^<!doctype html>/);
});

test("a directory without an experiment: exit code 2, and nothing is put there", async () => {
  const directory = emptyDirectory();
  expect(await ibatch("report", directory)).toEqual({
    code: 2,
    stdout: "",
    stderr: `ibatch: ${directory} holds no experiment (there is no experiment.json): name a directory of \`ibatch run\`\n`,
  });
  expect(existsSync(join(directory, "lock"))).toBe(false);
});

test("a file in the place of the directory: exit code 2, and what is expected", async () => {
  const path = join(emptyDirectory(), "small.yaml");
  writeFileSync(path, "name: small");
  const { code, stderr } = await ibatch("report", path);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `ibatch: ${path} is a file: name a directory of \`ibatch run\`\n`,
  });
});

test("a damaged experiment.json is named", async () => {
  const directory = emptyDirectory();
  writeFileSync(join(directory, "experiment.json"), "{");
  const { code, stderr } = await ibatch("report", directory);
  expect(code).toBe(2);
  expect(stderr).toContain(`${join(directory, "experiment.json")} is damaged`);
});

test("what is damaged is said in a line, the page is made of the rest, and the exit code is 2", async () => {
  const directory = make(SMALL);
  const path = join(directory, "sorted", "seed-1", "metrics.jsonl");
  writeFileSync(path, "");
  const said = expect.stringMatching(
    /^ibatch: left out: \S+sorted\/seed-1\/metrics\.jsonl is damaged \(.*\): remove .*\n$/,
  );
  const page = join(directory, "report.html");
  expect(await ibatch("report", directory)).toEqual({ code: 2, stdout: `${page}\n`, stderr: said });
  expect(readFileSync(page, "utf8")).toContain(`${path} is damaged (`);
  expect(await ibatch("export", directory, "--to", "csv")).toMatchObject({ code: 2, stderr: said });
});

test.skipIf(isPythonMissing)(
  "--python names the Python for the statistics; without one the page is made all the same",
  async () => {
    const directory = make(SMALL);
    const page = async (...argv: string[]) => {
      expect((await ibatch("report", directory, ...argv)).code).toBe(0);
      return readFileSync(join(directory, "report.html"), "utf8");
    };
    const told = "too few for an interval or a test";
    const circle = join(emptyDirectory(), "python"); // as one that may not be looked at: the system refuses to say what it is
    symlinkSync(circle, circle);
    for (const python of ["/nowhere/python", circle]) expect(await page("--python", python)).not.toContain(told);
    expect(await page()).toContain(told);
  },
);
