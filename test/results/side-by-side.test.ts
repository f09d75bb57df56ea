import { expect, test } from "vitest";
import { sideBySideNote } from "../../src/results/side-by-side.js";

const trained = (sideBySide?: number) => ({
  document: { config: { epochs: 1, order: {} }, ...(sideBySide !== undefined && { sideBySide }) },
});

test("seconds of runs that were trained alone need no note", () => {
  expect(sideBySideNote([trained(), trained(), { document: undefined }])).toBeUndefined();
});

test.each([
  [[2, 2], "these runs were trained 2 side by side"],
  [[2, undefined, 3], "2 of 3 runs were trained 2 to 3 side by side"],
])("seconds of runs that shared cores are not comparable with others: %j", (numbers, said) => {
  const note = sideBySideNote(numbers.map(trained));
  expect(note).toContain(`Seconds: ${said}, where cores may have been shared`);
  expect(note).toMatch(/not comparable with seconds of runs that were trained alone$/);
});
