import type { FieldsOf } from "../../src/backend/messages.js";

export const OPEN: FieldsOf<"open">;
export function fuzzSessions(how: {
  control: string;
  work: string;
  seed: number;
  first: number;
  count: number;
  onSent?: (done: number) => void;
}): Promise<string[]>;
