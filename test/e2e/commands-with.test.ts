import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { commandsWith } from "./commands-with.js";

test("finds a process by what its command was started with, and no other; not once it has ended", async () => {
  const value = `${process.pid}`;
  const child = spawn("sleep", ["60"], { env: { ...process.env, IBATCH_TEST_COMMAND: value } });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  expect(commandsWith("IBATCH_TEST_COMMAND", value)).toEqual(["sleep 60"]);
  expect(commandsWith("IBATCH_TEST_COMMAND", `${value}0`)).toEqual([]);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(commandsWith("IBATCH_TEST_COMMAND", value)).toEqual([]);
});
