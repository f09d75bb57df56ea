/** One line of what `ibatch validate` reports. */
import { z } from "zod";

export const check = z.strictObject({
  name: z.string(),
  verdict: z.enum(["pass", "fail", "skipped"]),
  /** What was seen. */
  measured: z.string(),
  /** What was allowed. */
  tolerance: z.string(),
  /** The first step, tensor or layer that differs and by how much; empty where there is nothing to be said. */
  detail: z.string(),
});
export type Check = Readonly<z.infer<typeof check>>;
