import { expect, test } from "vitest";
import { ConfigSource } from "../../src/config/config-source.js";
import { unreadSettings } from "../../src/config/unread.js";

const unread = (text: string, ...settings: string[]) =>
  unreadSettings(
    ConfigSource.parse(
      text,
      "x.yaml",
      settings.map((assignment) => ({ said: `--set ${assignment}`, assignment })),
    ),
  );

const ARMS = "arms: { a: { order: frozen }, b: { order: { name: weighted, fraction: 0.5 } } }";

test("a common setting in whose place every arm has its own is told, with its place", () => {
  expect(unread(ARMS, "order.timeoutSeconds=2")).toEqual([
    "--set order.timeoutSeconds=2: order.timeoutSeconds: no arm reads it, each says its own order",
  ]);
  expect(unread(`epochs: 3\n${ARMS.replace("a: {", "a: { epochs: 1,").replace("b: {", "b: { epochs: 2,")}`)).toEqual([
    "x.yaml:1: epochs: no arm reads it, each says its own epochs",
  ]);
});

test("what one arm reads is not", () => {
  expect(unread(`order: shuffled\n${ARMS.replace("b: {", "c: {}, b: {")}`)).toEqual([]);
  expect(unread(`epochs: 3\nbatching: { name: constant, size: 8 }\n${ARMS}`)).toEqual([]);
  const completed = "order: { name: weighted, fraction: 0.2, alpha: 2 }";
  expect(unread(`${completed}\narms: { a: { order: frozen }, b: { order: { fraction: 0.5 } } }`)).toEqual([
    "x.yaml:1: order.fraction: no arm reads it, each says its own order",
  ]);
});
