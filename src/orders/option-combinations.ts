/** The options with which an order is tried when nobody says with which. */
import { z } from "zod";

/** More combinations than this would take too long. */
const MOST_COMBINATIONS = 64;

/**
 * The combinations of the enum and boolean options, the others left at their defaults: all of them, or, where they
 * would be more than 64, those in which at most two options are not at their first value. Those that the schema
 * refuses are left out; where it refuses all of them, the defaults are left, and none where it refuses these, too.
 *
 * @param fixed values that are the same in every combination, not yet parsed
 */
export function optionCombinations<Options>(
  schema: z.ZodType<Options> & z.ZodObject,
  fixed: Readonly<Record<string, unknown>> = {},
): Options[] {
  const listed = Object.entries(schema.shape)
    .map(([name, option]) => ({ name, values: Object.hasOwn(fixed, name) ? [] : valuesOf(option) }))
    .filter(({ values }) => values.length > 0);
  const product = listed.reduce((count, { values }) => count * values.length, 1);
  const mostChanged = product <= MOST_COMBINATIONS ? listed.length : 2;

  let combinations: { chosen: Record<string, unknown>; changed: number }[] = [{ chosen: { ...fixed }, changed: 0 }];
  for (const { name, values } of listed) {
    combinations = combinations.flatMap(({ chosen, changed }) =>
      values.flatMap((value, i) => {
        const now = i === 0 ? changed : changed + 1;
        return now <= mostChanged ? [{ chosen: { ...chosen, [name]: value }, changed: now }] : [];
      }),
    );
  }
  const parsed = (raw: unknown): Options[] => {
    const result = schema.safeParse(raw);
    return result.success ? [result.data] : [];
  };
  const valid = combinations.flatMap(({ chosen }) => parsed(chosen));
  return valid.length > 0 ? valid : parsed(fixed);
}

/** The values an option can take where they can be listed, else none. */
function valuesOf(option: unknown): readonly unknown[] {
  if (option instanceof z.ZodDefault || option instanceof z.ZodOptional) return valuesOf(option.unwrap());
  if (option instanceof z.ZodEnum) return option.options;
  if (option instanceof z.ZodBoolean) return [false, true];
  return [];
}
