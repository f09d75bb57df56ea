import fc from "fast-check";
import { expect, test } from "vitest";
import { fromRecorded, recordedNumber, toRecorded } from "../../src/record/number.js";

test.each([
  [Number.NaN, '"NaN"'],
  [Number.POSITIVE_INFINITY, '"Infinity"'],
  [Number.NEGATIVE_INFINITY, '"-Infinity"'],
  [0.1, "0.1"],
  [-3, "-3"],
])("%d is %s in a record", (value, json) => {
  expect(JSON.stringify(toRecorded(value))).toBe(json);
});

test("every number comes back from its record as it was", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const read = recordedNumber.parse(JSON.parse(JSON.stringify(toRecorded(value))));
      // JSON has no -0; nothing that is recorded needs one.
      expect(fromRecorded(read) + 0).toBe(value + 0);
    }),
  );
});

test.each([null, "nan", "1", true])("%j is no recorded number", (value) => {
  expect(recordedNumber.safeParse(value).success).toBe(false);
});
