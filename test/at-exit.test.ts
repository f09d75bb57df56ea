import { expect, test } from "vitest";
import { atExit } from "../src/at-exit.js";

test("many are one listener, and none when all are forgotten; each is done once", () => {
  const before = process.listeners("exit");
  const done: number[] = [];
  const forget = Array.from({ length: 20 }, (_, number) => atExit(() => done.push(number)));
  const [listener, ...others] = process.listeners("exit").filter((one) => !before.includes(one));
  expect(others).toEqual([]);
  forget[3]();
  listener(0);
  expect(done).toEqual([...Array(20).keys()].filter((number) => number !== 3));
  for (const one of [...forget, forget[0]]) one();
  expect(process.listeners("exit")).toEqual(before);
});
