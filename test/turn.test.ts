import { expect, test } from "vitest";
import { ownTurn } from "../src/turn.js";

test("each who waits gets a turn of the event loop of its own, in their sequence", async () => {
  let turn = 0;
  const count = (): NodeJS.Immediate =>
    setImmediate(() => {
      turn += 1;
      if (turn < 100) count();
    });
  count();
  const seen: [string, number][] = [];
  await Promise.all(["a", "b", "c"].map((who) => ownTurn().then(() => seen.push([who, turn]))));
  expect(seen.map(([who]) => who)).toEqual(["a", "b", "c"]);
  expect(new Set(seen.map(([, at]) => at)).size).toBe(3);
});
