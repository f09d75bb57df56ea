import { z } from "zod";

/** An option as `ibatch list` shows it, read off its schema. */
export interface OptionDescription {
  readonly name: string;
  readonly type: string;
  /** Whether a config must name it. */
  readonly needed: boolean;
  /** Undefined where there is none. */
  readonly default: unknown;
  readonly help: string;
}

/** Every option of a schema: name, type, default, help. */
export function describeOptions(schema: z.ZodObject): OptionDescription[] {
  return Object.entries(schema.shape).map(([name, option]) => {
    if (!(option instanceof z.ZodType)) throw new Error(`option ${name} has no zod schema`);
    const fallback = option.safeParse(undefined);
    return {
      name,
      type: typeOf(option),
      needed: !fallback.success,
      default: fallback.success ? fallback.data : undefined,
      help: option.description ?? "",
    };
  });
}

/** As a config writes it. Read off the schema itself: by way of zod's JSON schema it takes ten times as long. */
function typeOf(schema: unknown): string {
  if (schema instanceof z.ZodNullable) return `${typeOf(schema.unwrap())} | null`;
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return typeOf(schema.unwrap());
  if (schema instanceof z.ZodEnum) return schema.options.join(" | ");
  if (schema instanceof z.ZodLiteral) return [...schema.values].join(" | ");
  if (schema instanceof z.ZodUnion) return schema.options.map(typeOf).join(" | ");
  if (schema instanceof z.ZodArray) return `list of ${typeOf(schema.element)}`;
  if (schema instanceof z.ZodNumber) return schema.isInt ? "integer" : "number";
  if (schema instanceof z.ZodString) return "string";
  if (schema instanceof z.ZodBoolean) return "boolean";
  return schema instanceof z.ZodObject || schema instanceof z.ZodRecord ? "object" : "value";
}
