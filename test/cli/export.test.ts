import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { EXPORT_TARGETS } from "../../src/export/index.js";
import { packageRoot } from "../../src/package-root.js";
import { FULL, LEAST, makeDirectory, STARTED_AT, TIMINGS } from "../export/scene.js";
import { fakePython } from "../process/fake-python.js";
import "../warm-python/everywhere.js";
import { warmPython } from "../warm-python/python.js";
import { ibatch } from "./run-main.js";

function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-empty-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Every file below, with its bytes. */
function contents(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, "latin1")]));
}

interface Events {
  readonly scalars: Readonly<Record<string, readonly (readonly [step: number, wallTime: number, value: string])[]>>;
  readonly hparams: Readonly<Record<string, string | number>>;
}

/** By TensorBoard's own reader. */
function readEvents(directory: string): Record<string, Events> {
  const script = join(packageRoot, "test/export/read_events.py");
  const text = execFileSync(warmPython, [script, directory], { encoding: "utf8", stdio: "pipe" });
  return JSON.parse(text);
}

test("csv: three files in DIR/export, and nothing else is touched", async () => {
  const directory = makeDirectory();
  const before = contents(directory);
  const names = ["runs.csv", "epochs.csv", "within.csv"];
  const [runs, epochs, within] = names.map((name) => join(directory, "export/csv", name));
  const ended = await ibatch("export", directory, "--to", "csv");
  expect(ended).toEqual({ code: 0, stdout: `${runs}\n${epochs}\n${within}\n`, stderr: "" });
  const { [runs]: _, [epochs]: __, [within]: ___, ...others } = contents(directory);
  expect(others).toEqual(before);
  const first = readFileSync(epochs, "utf8");
  expect((await ibatch("export", directory, "--to", "csv")).code).toBe(0);
  expect(readFileSync(epochs, "utf8")).toBe(first);
});

test("metrics: the small files byte for byte, of which the table is that of the directory itself", async () => {
  const directory = makeDirectory();
  const out = join(emptyDirectory(), "kept");
  const small = Object.entries(contents(directory)).map(([path, bytes]) => [path.slice(directory.length), bytes]);
  writeFileSync(join(directory, "alpha/seed-0/images.u8"), "a large file");
  const ended = await ibatch("export", directory, "--to", "metrics", "--out", out);
  expect(ended).toEqual({ code: 0, stdout: `${out}\n`, stderr: "" });
  const kept = Object.entries(contents(out)).map(([path, bytes]) => [path.slice(out.length), bytes]);
  const names = ["run.json", "metrics.jsonl", "timings.jsonl", "experiment.json"];
  expect(kept).toEqual(small.filter(([path]) => names.some((name) => path.endsWith(name))));
  expect(kept.length).toBeGreaterThan(4);
  const [table, tableOfKept] = [
    await ibatch("export", directory, "--to", "markdown"),
    await ibatch("export", out, "--to", "markdown"),
  ];
  expect(tableOfKept).toEqual(table);
  expect(table.stdout).toContain("| alpha");
});

describe("tensorboard", () => {
  test("reads back what metrics.jsonl and timings.jsonl say, at the run's steps and the record's times", async () => {
    const directory = makeDirectory();
    const out = join(emptyDirectory(), "board");
    const before = contents(directory);
    const ended = await ibatch("export", directory, "--to", "tensorboard", "--out", out);
    expect(ended).toEqual({ code: 0, stdout: `${out}\n`, stderr: "" });
    expect(contents(directory)).toEqual(before);
    const { "alpha/seed-0": alpha, "beta/seed-0": beta, ...others } = readEvents(out);
    expect(others).toEqual({});
    expect(beta.scalars).toEqual({});
    expect(alpha.hparams).toEqual({ arm: "alpha", seed: 0, model: "mnist-cnn", order: "shuffled" });
    const ends = Date.parse(STARTED_AT) / 1000 + TIMINGS.totalSeconds;
    const single = (value: number) => expect.stringMatching(new RegExp(`^${Math.fround(value)}$`));
    expect(alpha.scalars["train/loss"]).toEqual([
      [FULL.step, ends, single(1.2693360012146973)],
      [LEAST.step, ends, single(0.5914416026985233)],
    ]);
    expect(alpha.scalars["order/distinct"].map(([, , value]) => value)).toEqual(["1434.0", "1437.0"]);
    expect(alpha.scalars["seconds/training"]).toEqual([[FULL.step, ends, "2.0"]]);
    const [point] = FULL.within;
    const between = ends - TIMINGS.totalSeconds * (1 - point.samples / FULL.samples);
    const within = (value: string) => [point.step, expect.closeTo(between, 3), value];
    expect(alpha.scalars["test/loss"]).toEqual([within("0.75"), [FULL.step, ends, "-inf"]]);
    expect(alpha.scalars["train_sample/loss"]).toEqual([within("0.5"), [FULL.step, ends, "nan"]]);
    expect(alpha.scalars["test/accuracy"]).toEqual([within("0.625"), [FULL.step, ends, "0.75"]]);
    expect(alpha.scalars.epoch.map(([, , value]) => value)).toEqual(["0.0", "1.0"]);
  });

  test("has a tag for each number in epochs.csv", async () => {
    const directory = makeDirectory();
    await ibatch("export", directory, "--to", "csv");
    await ibatch("export", directory, "--to", "tensorboard");
    const [header] = readFileSync(join(directory, "export/csv/epochs.csv"), "utf8").split("\n");
    const numbers = header.split(",").filter((name) => !/^(arm|seed|step|.*_sha256)$/.test(name));
    const { scalars } = readEvents(join(directory, "export/tensorboard"))["alpha/seed-0"];
    const tags = Object.keys(scalars).map((tag) => tag.replace("/", "_"));
    expect(tags.sort()).toEqual(numbers.sort());
  });

  test("twice: equal points, none doubled, and what others put there stays", async () => {
    const directory = makeDirectory();
    const place = join(directory, "export/tensorboard");
    expect((await ibatch("export", directory, "--to", "tensorboard")).stdout).toBe(`${place}\n`);
    const first = readEvents(place);
    writeFileSync(join(place, "alpha/seed-0/notes.txt"), "mine");
    expect((await ibatch("export", directory, "--to", "tensorboard")).code).toBe(0);
    expect(readEvents(place)).toEqual(first);
    expect(readdirSync(join(place, "alpha/seed-0")).sort()).toEqual(["events.out.tfevents.ibatch", "notes.txt"]);
  });

  test("of a directory with a damaged run: the other runs, a line, exit code 2", async () => {
    const directory = makeDirectory();
    writeFileSync(join(directory, "beta/seed-0/run.json"), "{");
    const { code, stderr } = await ibatch("export", directory, "--to", "tensorboard");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^ibatch: left out: .*is no JSON.*\n$/),
    });
    expect(Object.keys(readEvents(join(directory, "export/tensorboard")))).toEqual(["alpha/seed-0"]);
  });

  test("a Python without it: its own line, exit code 4", async () => {
    const said = "py_report.tensorboard_export: No module named 'tensorboard': run `pip install tensorboard`";
    const python = fakePython(emptyDirectory(), "cat > /dev/null", `echo "${said.replaceAll("`", "\\`")}" >&2; exit 4`);
    const ended = await ibatch("export", makeDirectory(), "--to", "tensorboard", "--python", python);
    expect(ended).toEqual({ code: 4, stdout: "", stderr: `ibatch: ${said}\n` });
  });
});

describe("markdown", () => {
  test("standard output is the table alone, and nothing is written", async () => {
    const directory = makeDirectory();
    const before = contents(directory);
    const { code, stdout, stderr } = await ibatch("export", directory, "--to", "markdown");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^made up: test set after 3 epochs/);
    expect(stdout).toMatch(/^\| alpha +\|.*\|$/m);
    expect(contents(directory)).toEqual(before);
  });

  test("--out takes it, and standard output says where", async () => {
    const directory = makeDirectory();
    const out = join(emptyDirectory(), "pages/table.md");
    expect(await ibatch("export", directory, "--to", "markdown", "--out", out)).toEqual({
      code: 0,
      stdout: `${out}\n`,
      stderr: "",
    });
    expect(readFileSync(out, "utf8")).toBe((await ibatch("export", directory, "--to", "markdown")).stdout);
  });
});

describe("what is wrong with the command line", () => {
  test.each(EXPORT_TARGETS.map(({ name }) => name))("%s of a directory without an experiment", async (target) => {
    const directory = emptyDirectory();
    expect(await ibatch("export", directory, "--to", target)).toEqual({
      code: 2,
      stdout: "",
      stderr: `ibatch: ${directory} holds no experiment (there is no experiment.json): name a directory of \`ibatch run\`\n`,
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a target that is near one", async () => {
    expect(await ibatch("export", makeDirectory(), "--to", "tensorbord")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'ibatch: There is no export target "tensorbord". Did you mean "tensorboard"? Known: csv, tensorboard, markdown, torch, metrics.\n',
    });
  });

  test("no target", async () => {
    const { code, stderr } = await ibatch("export", makeDirectory());
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "ibatch: --to is needed: one of csv, tensorboard, markdown, torch, metrics\n",
    });
  });

  test.each(EXPORT_TARGETS.map(({ name }) => name))("%s into a run's directory", async (target) => {
    const directory = makeDirectory();
    const out = join(directory, "alpha/seed-0");
    const { code, stderr } = await ibatch("export", directory, "--to", target, "--out", out);
    expect(code).toBe(2);
    expect(stderr).toContain(`--out ${out} is in ${directory}, among what runs record`);
  });
});

describe("what the disk refuses is exit code 4, in one line", () => {
  test.each(["csv", "tensorboard"])("%s: a file where the directory should be", async (target) => {
    const out = join(emptyDirectory(), "taken");
    writeFileSync(out, "mine");
    const { code, stdout, stderr } = await ibatch("export", makeDirectory(), "--to", target, "--out", out);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^ibatch: .*${out}.* cannot be written.*\n$`));
    expect(readFileSync(out, "utf8")).toBe("mine");
  });

  test("markdown: a directory where the file should be", async () => {
    const out = emptyDirectory();
    const { code, stderr } = await ibatch("export", makeDirectory(), "--to", "markdown", "--out", out);
    expect(code).toBe(4);
    expect(stderr).toContain(`there is a directory in the way: ${out} cannot be written`);
    expect(existsSync(`${out}.partial`)).toBe(false);
  });
});

test("a directory that may only be read", async () => {
  const directory = makeDirectory();
  const places = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  const allow = (mode: number) => {
    for (const place of [directory, ...places]) chmodSync(place, mode);
  };
  allow(0o555);
  onTestFinished(() => allow(0o755));
  const out = emptyDirectory();
  expect((await ibatch("export", directory, "--to", "markdown")).code).toBe(0);
  expect((await ibatch("export", directory, "--to", "csv", "--out", out)).code).toBe(0);
});
