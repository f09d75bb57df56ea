// Counts of a config at their most: refused, or no more memory than what is trained on asks for.
import { expect, test } from "vitest";
import { z } from "zod";
import { armSchema } from "../../src/config/arm-schema.js";
import { commonSchema } from "../../src/config/common-schema.js";
import { IbatchError, Interrupted } from "../../src/errors.js";
import { Scene } from "./scene.js";

const MOST = Number.MAX_SAFE_INTEGER;

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Where a schema takes any whole number: what has a bound of its own was bounded with its use in mind. */
function unboundedIn(schema: JsonSchema, path: readonly string[] = []): string[] {
  const alternatives = (schema.anyOf ?? []).flatMap((one) => unboundedIn(one, path));
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    typeof value === "boolean" ? [] : unboundedIn(value, [...path, key]),
  );
  const isUnbounded = schema.type === "integer" && (schema.maximum ?? MOST) === MOST;
  return [...new Set([...(isUnbounded ? [path.join(".")] : []), ...alternatives, ...inner])];
}

const COUNTS = [commonSchema, armSchema].flatMap((schema) =>
  unboundedIn(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })),
);
const BATCHING = [
  `{ name: constant, size: ${MOST} }`,
  `{ name: linear, from: ${MOST}, to: 1 }`,
  `{ name: linear, from: 1, to: ${MOST}, per: batch }`,
  `{ name: geometric, from: 1, to: ${MOST}, per: batch }`,
  `{ name: steps, sizes: [5, ${MOST}], at: [1] }`,
  `{ name: steps, sizes: [${MOST}, 5], at: [${MOST}] }`,
  `{ name: constant, size: 5, learningRate: linear, baseSize: ${MOST} }`,
];
const ORDERS = [
  `{ name: loss-global, jitter: ${MOST} }`,
  `{ name: loss-per-class, jitter: ${MOST} }`,
  `{ name: loshchilov-hutter, tSort: ${MOST} }`,
];

/** More than of three epochs. */
const ENOUGH_MESSAGES = 40;

test("there are such counts", () => {
  expect(COUNTS).toEqual(
    expect.arrayContaining(["evaluation.trainSample", "checkpoint.keep", "epochs", "budget.samples"]),
  );
});

test.each([
  ...COUNTS.map((path) => `${path}=${MOST}`),
  ...BATCHING.map((section) => `batching=${section}`),
  ...ORDERS.map((section) => `order=${section}`),
])("%s is refused, or trained with", async (setting) => {
  const scene = new Scene();
  const abort = new AbortController();
  let messages = 0;
  const before = () => {
    messages += 1;
    if (messages > ENOUGH_MESSAGES) abort.abort();
  };
  const arm = setting.startsWith("order") ? "{}" : "{ order: shuffled }";
  const settings = [`arms={ a: ${arm} }`, "seeds=1", "dataset={ name: digits }", setting];
  const { results, error } = await scene.run({ settings, abort, pretence: { before } });
  if (error instanceof IbatchError && error.kind === "usage") return;
  if (messages <= ENOUGH_MESSAGES) expect(results.map(({ state }) => state)).toEqual(["done"]);
  else expect(error).toBeInstanceOf(Interrupted);
});
