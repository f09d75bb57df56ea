// That `npm run chaos` sees checkpoints that a command has lost.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { newestStep, Watch } from "../../chaos/checkpoints.mjs";
import { Scene } from "../../chaos/scene.mjs";
import { temporaryDirectory } from "../experiment/scene.js";

/** An experiment's directory with the run of arm `a`. */
function recorded(out = temporaryDirectory()) {
  const run = join(out, "a", "seed-0");
  const path = (name: string) => join(run, "checkpoint", name);
  const document = (state: string) => writeFileSync(join(run, "run.json"), JSON.stringify({ state }));
  const begin = (name: string) => mkdirSync(path(name), { recursive: true });
  const save = (name: string) => {
    begin(name);
    writeFileSync(join(path(name), "manifest.json"), "{}");
  };
  begin("0");
  document("running");
  return { out, path, document, begin, save, lose: (name: string) => rmSync(path(name), { recursive: true }) };
}

test("the newest one is the one of the highest step that is finished", () => {
  const { out, path, begin, save } = recorded();
  expect(newestStep(out, "a")).toBeUndefined();
  expect(newestStep(out, "b")).toBeUndefined();
  for (const name of ["9", "18"]) save(name);
  begin("27");
  expect(newestStep(out, "a")).toBe(18);
  renameSync(path("18"), path("18-again"));
  expect(newestStep(out, "a")).toBe(18);
});

test("what a run has, or had when it was looked at, may not be gone", () => {
  const { out, save, lose } = recorded();
  const watch = new Watch(out, new Map());
  save("9");
  expect(watch.look()).toEqual([]);
  save("18");
  expect(watch.look()).toEqual([]);
  lose("18");
  expect(watch.look()).toEqual(["a had a checkpoint at step 18, and later none newer than 9"]);
  expect(watch.look()).toEqual([]);
  lose("9");
  expect(watch.look()).toEqual(["a had a checkpoint at step 9, and later none"]);
});

test("nor what it began with, also where nothing is left of the run", () => {
  const { out, save } = recorded();
  save("9");
  const watch = new Watch(out, new Map([["a", 9]]));
  rmSync(join(out, "a"), { recursive: true });
  expect(watch.look()).toEqual(["a had a checkpoint at step 9, and later none"]);
});

test("newer ones may take its place, and a run that is done needs none", () => {
  const { out, document, save, lose } = recorded();
  save("9");
  const watch = new Watch(out, new Map([["a", 9]]));
  save("18");
  lose("9");
  expect(watch.look()).toEqual([]);
  document("done");
  lose("18");
  expect(watch.look()).toEqual([]);
});

test("a run that must begin anew needs none", () => {
  const { out } = recorded();
  expect(new Watch(out, new Map([["a", undefined]])).look()).toEqual([]);
});

test("one that was damaged may go, and not the one that takes its place", () => {
  const { out, path, save, lose } = recorded();
  for (const name of ["9", "18"]) save(name);
  const watch = new Watch(out, new Map([["a", 9]]), [path("18")]);
  expect(watch.look()).toEqual([]);
  lose("18");
  expect(watch.look()).toEqual([]);
  save("18");
  expect(watch.look()).toEqual([]);
  lose("18");
  expect(watch.look()).toEqual(["a had a checkpoint at step 18, and later none newer than 9"]);
});

test("while a command runs they are looked at all the time", async () => {
  const folder = temporaryDirectory();
  const { save, lose } = recorded(join(folder, "out"));
  save("9");
  const scene = new Scene({ folder, python: "", settings: [] });
  const command = scene.give({ wrap: ["sh", "-c", "exec sleep 600"] });
  onTestFinished(() => void command.signal("SIGKILL"));
  lose("9");
  await expect.poll(() => scene.faults).toEqual(["a had a checkpoint at step 9, and later none"]);
});
