// How `npm run chaos` does its tasks side by side.
import { expect, test } from "vitest";
import { inLanes } from "../../chaos/lanes.mjs";

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("results are in the order of the tasks", async () => {
  const { open, opened } = gate();
  const last = async () => {
    open();
    return 3;
  };
  expect(await inLanes(2, [() => opened.then(() => 1), async () => 2, last])).toEqual([1, 2, 3]);
});

test("where a task throws, none is begun any more, and those that were have ended before it is told", async () => {
  const { open, opened } = gate();
  const done: string[] = [];
  const fails = async () => {
    done.push("failed");
    throw new Error("x");
  };
  const slow = () => opened.then(() => done.push("slow"));
  const end = inLanes(2, [fails, slow, async () => done.push("next")]).catch((error) => done.push(`told: ${error}`));
  await new Promise(setImmediate);
  open();
  await end;
  expect(done).toEqual(["failed", "slow", "told: Error: x"]);
});
