import { describe, expect, test } from "vitest";
import { checkedPlace } from "../../src/export/place.js";

describe("what --out may name", () => {
  test.each(["elsewhere", "runs", "runs/tiny-2", "..", "/tmp/tiny", "runs/tiny/export", "runs/tiny/export/csv"])(
    "%s",
    (out) => {
      expect(checkedPlace("runs/tiny", out)).toBe(out);
    },
  );

  test.each(["runs/tiny", "runs/tiny/", "runs/tiny/shuffled", "runs/tiny/table.md", "./runs/x/../tiny/exports"])(
    "but not %s, which runs write",
    (out) => {
      expect(() => checkedPlace("runs/tiny", out)).toThrow(
        `--out ${out} is in runs/tiny, among what runs record: name a place outside, or in runs/tiny/export`,
      );
    },
  );
});
