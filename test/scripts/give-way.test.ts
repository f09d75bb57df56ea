import { spawn, spawnSync } from "node:child_process";
import { getPriority } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { giveWay } from "../../scripts/give-way.mjs";

test("a process gives way to the others", () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  giveWay(child.pid ?? 0);
  expect(getPriority(child.pid)).toBe(Math.min(19, getPriority() + 10));
});

test("one that has ended already is left in peace", () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  expect(() => giveWay(pid)).not.toThrow();
});
