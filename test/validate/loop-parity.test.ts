import { expect, test } from "vitest";
import { toleranceOf } from "../../src/validate/loop-parity.js";

test.each([
  ["cpu", "float32", 0, "equal bits"],
  ["cpu", "bfloat16", 0.01, "0.01 of the largest (bfloat16)"],
  ["cuda:0", "float32", 0.001, "0.001 of the largest (GPU)"],
  ["cuda:0", "tf32", 0.01, "0.01 of the largest (tf32)"],
  ["cuda:0", "bfloat16", 0.01, "0.01 of the largest (bfloat16)"],
])("on %s in %s the share %d may differ", (device, precision, share, said) => {
  expect(toleranceOf(undefined, device, precision)).toEqual({ share, said });
  expect(toleranceOf(0.5, device, precision)).toEqual({ share: 0.5, said: "0.5 of the largest" });
});
