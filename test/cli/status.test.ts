import { mkdirSync, readdirSync, readFileSync, realpathSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeSealed } from "../../src/record/sealed.js";
import { type MadeExperiment, make } from "../page/scene.js";
import { ibatch } from "./run-main.js";

const SOME: MadeExperiment = {
  seeds: [0, 1, 2],
  arms: {
    frozen: {
      0: { accuracies: [0.1, 0.2, 0.3], resumed: [{ at: "2026-11-28T10:00:00Z", step: 4 }] },
      1: { accuracies: [0.1], state: "running", startedAt: "2026-11-28T10:05:00Z" },
      2: { accuracies: [0.1, 0.2], state: "interrupted", error: "interrupted" },
    },
    shuffled: {
      0: { accuracies: [0.1], state: "failed", failedByItself: true, error: "out of memory" },
      1: { accuracies: [0.1], state: "running", startedAt: "2026-11-28T10:09:00Z" },
      7: { accuracies: [], state: "diverged", divergedAtStep: 2 },
    },
  },
};

/** A checkpoint that was finished, as far as its manifest says. */
function checkpoint(directory: string, run: string, step: number): void {
  const path = join(directory, run, "checkpoint", `${step}`);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "manifest.json"), "{}");
}

function scene(): string {
  const directory = make(SOME);
  checkpoint(directory, "frozen/seed-1", 5);
  checkpoint(directory, "shuffled/seed-0", 4);
  return directory;
}

test("each run of the last command, and those beside them", async () => {
  const directory = scene();
  const before = readdirSync(directory, { recursive: true });
  const { code, stdout, stderr } = await ibatch("status", directory);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(
    stdout.replaceAll(directory, "DIR"),
  ).toBe(`DIR: tiny, 7 runs: 1 done, 1 diverged, 2 resumable, 2 to begin anew, 1 not begun

arm       seed  state          epochs
frozen    0     done           3 of 3  went on from step 4
shuffled  0     resumable      1 of 3  out of memory; goes on from step 4
frozen    1     resumable      1 of 3  goes on from step 5
shuffled  1     to begin anew  1 of 3
frozen    2     to begin anew  2 of 3
shuffled  2     not begun      0 of 3
shuffled  7     diverged       0 of 3  at step 2

To go on: ibatch run tiny.yaml
`);
  expect(readdirSync(directory, { recursive: true })).toEqual(before);
});

test("of a shard: what goes on with it, and that the rest is of others, who may do it elsewhere", async () => {
  const told = async (shard: string) => {
    const directory = scene();
    amend(directory, (document) => ({ ...document, command: `ibatch run tiny.yaml --shard ${shard}` }));
    const { stdout } = await ibatch("status", directory);
    return stdout.slice(stdout.indexOf("at step 2\n") + "at step 2\n".length).trim();
  };
  const all = "To do them here, too: ibatch run tiny.yaml";
  expect(await told("1/3")).toBe(
    "To go on with shard 1/3: ibatch run tiny.yaml --shard 1/3\n" +
      `3 of the runs that are left are of other shards, which may do them in directories of their own. ${all}`,
  );
  expect(await told("0/6")).toBe(
    `5 of the runs that are left are of other shards, which may do them in directories of their own. ${all}`,
  );
});

test("of two that say that they run, the one that was begun last is under way, where somebody works there", async () => {
  const directory = scene();
  const other = process.ppid; // lives, and is not this process
  writeFileSync(join(directory, "lock"), JSON.stringify({ pid: other, host: hostname() }));
  const { stdout } = await ibatch("status", directory);
  expect(stdout).toContain(`In use by process ${other} on ${hostname()}\n`);
  expect(stdout).toMatch(/^shuffled {2}1 {5}under way {2}/m);
  expect(stdout).toMatch(/^frozen {4}1 {5}resumable {2}/m);
  expect(stdout).not.toContain("To go on");
});

test("a run that is held says by whom, and what it does where it is under way", async () => {
  const directory = scene();
  const other = { pid: process.ppid, host: hostname() };
  for (const run of ["frozen/seed-1", "shuffled/seed-7"]) {
    writeFileSync(join(directory, run, "lock"), JSON.stringify(other));
  }
  const { stdout } = await ibatch("status", directory);
  expect(stdout).toMatch(new RegExp(`^frozen {4}1 {5}under way {2}.*process ${other.pid} on ${hostname()}`, "m"));
  const { runs } = JSON.parse((await ibatch("status", directory, "--json")).stdout);
  expect(runs.filter(({ heldBy }: { heldBy: unknown }) => heldBy !== null)).toMatchObject([
    { arm: "frozen", seed: 1, heldBy: other },
    { arm: "shuffled", seed: 7, heldBy: other },
  ]);
});

test("a run that lost its backend under a command that lives waits for another one, and says where it goes on", async () => {
  const lost = { accuracies: [0.1], state: "failed", error: "the backend ended: signal SIGKILL" } as const;
  const directory = make({ seeds: [0, 1], arms: { frozen: { 0: lost, 1: lost } } });
  checkpoint(directory, "frozen/seed-0", 4);
  for (const seed of [0, 1]) {
    const lock = JSON.stringify({ pid: process.ppid, host: hostname() });
    writeFileSync(join(directory, `frozen/seed-${seed}/lock`), lock);
  }
  const { stdout } = await ibatch("status", directory);
  expect(stdout).toContain("2 runs: 2 waiting\n");
  expect(stdout).toMatch(
    /^frozen {2}0 {5}waiting {2}1 of 3 {2}process .*; the backend ended: signal SIGKILL; waits for a backend, and goes on from step 4$/m,
  );
  expect(stdout).toMatch(/^frozen {2}1 {5}waiting {2}.*; waits for a backend, and begins anew$/m);
});

test.each([
  ["for what lies around it", {}],
  ["by itself", { failedByItself: true as const }],
])("a run that failed %s is resumable from its checkpoint, and says why it failed", async (_, how) => {
  const directory = make({
    seeds: [0, 1],
    arms: {
      frozen: {
        0: { accuracies: [0.1], state: "failed", error: "the backend ended", ...how },
        1: { accuracies: [0.1], state: "failed", error: "it ended, too", ...how },
      },
    },
  });
  checkpoint(directory, "frozen/seed-0", 4);
  const { stdout } = await ibatch("status", directory);
  expect(stdout).toMatch(/^frozen {2}0 {5}resumable {2}1 of 3 {2}the backend ended; goes on from step 4$/m);
  expect(stdout).toMatch(/^frozen {2}1 {5}failed {5}1 of 3 {2}it ended, too$/m);
});

test("what was refused is not called resumable, and the last line says what the command waits for", async () => {
  const refused = { accuracies: [0.1], state: "failed", error: "another plan", madeOtherPlan: true } as const;
  const directory = make({ seeds: [0, 1], arms: { frozen: { 0: refused, 1: { accuracies: [0.1, 0.2, 0.3] } } } });
  checkpoint(directory, "frozen/seed-0", 4);
  const told = async () => (await ibatch("status", directory)).stdout;
  expect(await told()).toMatch(/^frozen {2}0 {5}refused {2}1 of 3 {2}another plan; last checkpoint at step 4$/m);
  expect(await told()).toMatch(/^To go on, once what is refused is mended or removed: ibatch run tiny\.yaml$/m);
  truncateSync(join(directory, "frozen/seed-1/run.json"), 5);
  expect(await told()).toMatch(
    /^To go on, once what is damaged is removed, and what is refused is mended or removed: /m,
  );
});

/** Rewrites what `experiment.json` says. */
function amend(directory: string, changes: (document: Record<string, unknown>) => object): void {
  const path = join(directory, "experiment.json");
  const { documentSha256: _, ...document } = JSON.parse(readFileSync(path, "utf8"));
  writeSealed(path, { ...document, ...changes(document) });
}

test.each<[string, (directory: string) => Record<string, unknown>, string]>([
  [
    "where it is and was",
    (directory) => ({ given: { in: process.cwd(), directory } }),
    "To go on: ibatch run tiny.yaml",
  ],
  [
    "given in another working directory",
    (directory) => ({ given: { in: "/there", directory } }),
    "To go on, in /there: ibatch run tiny.yaml",
  ],
  [
    "of a copy",
    () => ({ given: { in: process.cwd(), directory: "/there/tiny" } }),
    "Copied or moved from /there/tiny. To go on: ibatch run tiny.yaml --out DIR",
  ],
  [
    "of a copy that was named",
    () => ({
      command: "ibatch run x.yaml --out 'it'\\''s here' --seeds 2",
      given: { in: "/there", directory: "/there/it's here" },
    }),
    "Copied or moved from /there/it's here. To go on, in /there: ibatch run x.yaml --seeds 2 --out DIR",
  ],
  [
    "of a copy, by a program",
    () => ({ command: "runExperiment", given: { in: process.cwd(), directory: "/there" } }),
    "Copied or moved from /there. To go on: runExperiment",
  ],
])("what goes on: a command %s", async (_, changes, expected) => {
  const directory = realpathSync(scene());
  amend(directory, () => changes(directory));
  const { stdout } = await ibatch("status", directory);
  expect(stdout.trimEnd().split("\n").at(-1)?.replaceAll(directory, "DIR")).toBe(expected);
});

test.each(["npx ibatch run x.yaml", "node ../dist/cli/main.js run x.yaml --out 'of ibatch runs'"])(
  "the command is given again as it was, however this one is called: %s",
  async (command) => {
    const { argv } = process;
    onTestFinished(() => {
      process.argv = argv;
    });
    process.argv = ["node", "/mine/node_modules/.bin/ibatch"];
    const directory = realpathSync(scene());
    amend(directory, () => ({ command, given: { in: process.cwd(), directory } }));
    const { stdout } = await ibatch("status", directory);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(`To go on: ${command}`);
  },
);

test("where the last command's config has `checkpoint: null`, no run that it asks for is resumable", async () => {
  const directory = scene();
  amend(directory, ({ config }) => ({ config: { ...Object(config), checkpoint: null } }));
  const { stdout } = await ibatch("status", directory);
  expect(stdout).toMatch(/^frozen {4}1 {5}to begin anew {2}1 of 3 {2}last checkpoint at step 5$/m);
});

test("--json is the same for a program", async () => {
  const { stdout } = await ibatch("status", scene(), "--json");
  const { runs, inUseBy, command } = JSON.parse(stdout);
  expect({ inUseBy, command }).toEqual({ inUseBy: [], command: "ibatch run tiny.yaml" });
  expect(runs[2]).toEqual({
    arm: "frozen",
    seed: 1,
    standing: "resumable",
    epochs: 1,
    ofEpochs: 3,
    checkpoint: 5,
    resumedFrom: [],
    divergedAtStep: null,
    error: null,
    heldBy: null,
  });
});

test("what is damaged is one of the runs, and the exit code is 2", async () => {
  const directory = scene();
  truncateSync(join(directory, "frozen/seed-0/run.json"), 5);
  const { code, stdout } = await ibatch("status", directory);
  expect(code).toBe(2);
  expect(stdout).toMatch(/^frozen {4}0 {5}damaged +– +\S+run\.json is damaged \(it is no JSON\)/m);
});

test("no experiment: exit code 2", async () => {
  const { code, stderr } = await ibatch("status", join(scene(), "frozen"));
  expect(code).toBe(2);
  expect(stderr).toContain("holds no experiment");
});
