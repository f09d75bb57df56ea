import { expect, test } from "vitest";
import { uninterrupted } from "../../src/backend/uninterrupted.js";

const failing = (times: number, error: unknown) => {
  let tries = 0;
  return () => {
    tries += 1;
    if (tries <= times) throw error;
    return tries;
  };
};

const errorOf = (code: string) => Object.assign(new Error("as zeromq gives it"), { code });

test("what a signal interrupts is done again", () => {
  expect(uninterrupted(failing(3, errorOf("EINTR")))).toBe(4);
});

test.each([errorOf("EINVAL"), new Error("EINTR"), undefined])("another failure (%s) is thrown at once", (error) => {
  const act = failing(1, error);
  let thrown: unknown = "none";
  try {
    uninterrupted(act);
  } catch (caught) {
    thrown = caught;
  }
  expect(thrown).toBe(error);
  expect(act()).toBe(2);
});

test("what is interrupted without end is given up", () => {
  expect(() => uninterrupted(failing(Number.POSITIVE_INFINITY, errorOf("EINTR")))).toThrow("as zeromq gives it");
});
