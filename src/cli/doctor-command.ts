import { z } from "zod";
import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";

const options = z.strictObject({
  ...backendOptions,
  json: z.boolean().default(false).describe("one JSON document instead of text"),
});

export type DoctorOptions = z.infer<typeof options>;

export const doctorCommand: CommandDefinition<typeof options.shape> = {
  name: "doctor",
  summary: "can this machine run it: Node, Python, torch, device, data, and a training step through the wire",
  arguments: [],
  options,
  examples: ["ibatch doctor", "ibatch doctor --data data --python ~/envs/torch/bin/python"],
};
