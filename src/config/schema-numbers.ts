/** Numbers that configs have in many places. */
import { z } from "zod";

export const count = z.int().min(0);
/** No sharper `min` of `count`: a number below both would be told the weaker bound. */
export const someCount = z.int().min(1);
const MAX_SEED = 2 ** 32 - 1;
export const seed = z.int().min(0).max(MAX_SEED);
