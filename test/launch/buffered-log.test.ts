import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BufferedLog } from "../../src/launch/buffered-log.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("lines are written some at a time, not one by one where they come", () => {
  const written: string[][] = [];
  const log = new BufferedLog((lines) => void written.push([...lines]));
  log.add("one");
  log.add("two");
  expect(written).toEqual([]);
  vi.advanceTimersByTime(250);
  log.add("three");
  log.flush();
  log.flush();
  expect(written).toEqual([["one", "two"], ["three"]]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a flood is written before it fills memory, also while no timer fires", () => {
  const written: string[][] = [];
  const log = new BufferedLog((lines) => void written.push([...lines]));
  for (let at = 0; at < 3000; at++) log.add("x".repeat(1000));
  expect(written.length).toBe(2); // each more than 2^20 characters
  log.flush();
  expect(written.flat()).toHaveLength(3000);
});

test("a disk that refuses is nobody's exception: the first reason stays, later lines are tried again", () => {
  const written: string[] = [];
  let full = true;
  const log = new BufferedLog((lines) => {
    if (full) throw new Error("the disk is full");
    written.push(...lines);
  });
  log.add("one");
  expect(() => vi.advanceTimersByTime(250)).not.toThrow();
  expect(log.failure?.message).toBe("the disk is full");
  full = false;
  log.add("two");
  vi.advanceTimersByTime(250);
  expect(written).toEqual(["two"]);
});

test("of lines without a letter no more than 10,000 wait", () => {
  const written: number[] = [];
  const log = new BufferedLog((lines) => void written.push(lines.length));
  for (let at = 0; at < 25_000; at++) log.add("");
  expect(written).toEqual([10_000, 10_000]);
  log.flush();
  expect(written).toEqual([10_000, 10_000, 5000]);
});
