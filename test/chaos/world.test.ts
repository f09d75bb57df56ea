// How `npm run chaos` tries its cases, and that a case that proves nothing is no case that went well.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { endAll } from "../../chaos/leftovers.mjs";
import { main } from "../../chaos/main.mjs";
import { type Chance, type Scene, World } from "../../chaos/world.mjs";
import { temporaryDirectory } from "../experiment/scene.js";

const here = () => {
  const folder = temporaryDirectory();
  const world = new World(folder, { seed: 0, quick: true, python: "/no/python" });
  const runCase = (run: (scene: Scene, random: Chance) => void) =>
    world.runCase({ name: "x-0", planned: ["a"], run: async (scene, random) => run(scene, random) });
  return { folder, runCase };
};

test("a case whose disturbance came too late is tried again with other chance, and fails in the end", async () => {
  const { folder, runCase } = here();
  const drawn: number[] = [];
  const result = await runCase((_, random) => drawn.push(random.next()));
  expect(result.faults).toEqual(["1 of 1 came too late, in 4 tries"]);
  expect(new Set(drawn).size).toBe(4);
  expect(existsSync(result.folder)).toBe(true);
  expect(readdirSync(folder)).toHaveLength(1);
});

test("one that came in time counts, and leaves nothing", async () => {
  const { folder, runCase } = here();
  let tries = 0;
  const result = await runCase((scene) => {
    tries += 1;
    if (tries === 2) scene.count("a");
  });
  expect(result.faults).toEqual([]);
  expect([...result.injected]).toEqual([["a", 1]]);
  expect(readdirSync(folder)).toEqual([]);
});

test("each way counts for itself: one that was done more often makes up for no other", async () => {
  const world = new World(temporaryDirectory(), { seed: 0, quick: true, python: "/no/python" });
  const planned = ["a", "b", "b"];
  const result = await world.runCase({
    ...{ name: "x-0", planned },
    run: async (scene) => {
      for (const way of ["a", "a", "b"]) scene.count(way);
    },
  });
  expect(result.faults).toEqual(["1 of 3 came too late, in 4 tries"]);
});

test("what a case throws is its failure, with the stack", async () => {
  const result = await here().runCase(() => {
    throw new Error("ENOSPC");
  });
  expect(result.faults).toEqual([expect.stringMatching(/^Error: ENOSPC\n +at .*world\.test\.ts/)]);
});

test.skipIf(process.platform !== "linux")("what was started for a folder is ended, and no more", async () => {
  const start = (folder: string) => {
    const child = spawn("sleep", ["600"], { env: { ...process.env, IBATCH_CHAOS: folder } });
    return { child, ended: once(child, "exit") };
  };
  const [inside, beside] = [start("/x/y/z"), start("/x/yz")];
  await Promise.all([once(inside.child, "spawn"), once(beside.child, "spawn")]);
  endAll("/x/y");
  expect(await inside.ended).toEqual([null, "SIGKILL"]);
  expect(beside.child.exitCode ?? beside.child.signalCode).toBeNull();
  beside.child.kill();
  await beside.ended;
});

test.each([
  ["--case backend-99", "there is no case backend-99 here, expected some of backend-0, …, controller-0, …,"],
  ["--case damage-0 --only stop", "there is no case damage-0 here, expected some of stop-0, …"],
  ["--only kills", "unknown kind kills, expected some of backend, controller, job, damage, stop, disk"],
  ["--lanes 0", "--lanes 0: expected an integer of at least 1"],
  ["--seed one", "--seed one: expected an integer of at least 0"],
  ["--quick --only stop", "--quick has something of each kind: leave out --only"],
  ["--fast", "Unknown option '--fast'"],
])("%s is refused in a line", async (line, said) => {
  const lines: string[] = [];
  const say = { log: () => {}, error: (text: string) => lines.push(text) };
  expect(await main("/no/python", line.split(" "), say)).toBe(2);
  expect(lines).toEqual([expect.stringContaining(`chaos: ${said}`)]);
});
