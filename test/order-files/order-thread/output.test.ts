import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OrderThread } from "../../../src/order-files/order-thread/order-thread.js";
import { temporaryDirectory } from "../../experiment/scene.js";
import { orderModule } from "../own-order.js";

/** What is told of a thread that is stopped as soon as it has answered. */
async function told(statements: string): Promise<string[]> {
  const entry = join(temporaryDirectory(), "mine.mjs");
  writeFileSync(entry, orderModule(`coverage() { ${statements} return "any"; }, order: ({ eligible }) => eligible,`));
  const lines: string[] = [];
  const { signal } = new AbortController();
  const { thread } = await OrderThread.start({ entry, files: [], signal, say: (line) => lines.push(line) });
  await thread.ask({ subject: "choose", given: {} }, { seconds: 60 });
  await thread.stop();
  return lines;
}

/** After so many turns its answer is on its way, and Node has had no time to do more. */
const BUSY_SOON = "(async () => { for (let i = 0; i < 100; i++) await null; for (;;); })();";

test("what an order writes just before its thread is stopped is told, all of it", async () => {
  const lines = await told(`for (const line of "abcd") console.log(line); ${BUSY_SOON}`);
  expect(lines).toEqual(["a", "b", "c", "d"]);
});

test("of a flood so many bytes are told, and that there were more", async () => {
  const lines = await told("for (let i = 0; i < 9; i++) console.log('x'.repeat(1e6)); console.log('after');");
  expect(lines.map((line) => line.slice(0, 40))).toEqual([
    ...Array(5).fill("x".repeat(40)),
    "… and more, which is not told",
  ]);
});
