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
      type: typeName(z.toJSONSchema(option, { io: "input", unrepresentable: "any" })),
      needed: !fallback.success,
      default: fallback.success ? fallback.data : undefined,
      help: option.description ?? "",
    };
  });
}

function typeName(schema: z.core.JSONSchema.BaseSchema): string {
  if (schema.enum !== undefined) return schema.enum.join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeName).join(" | ");
  if (schema.type === "array" && typeof schema.items === "object" && !Array.isArray(schema.items)) {
    return `list of ${typeName(schema.items)}`;
  }
  if (Array.isArray(schema.type)) return schema.type.join(" | ");
  return typeof schema.type === "string" ? schema.type : "value";
}
