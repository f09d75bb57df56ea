import { backendOptions } from "./backend-options.js";
import type { CommandDefinition } from "./command.js";
import { flag, type ValuesOf } from "./command-option.js";

const options = {
  ...backendOptions,
  json: flag("one JSON document instead of text"),
};

export type DoctorOptions = ValuesOf<typeof options>;

export const doctorCommand: CommandDefinition<DoctorOptions> = {
  name: "doctor",
  summary: "can this machine run it: Node, Python, torch, device, data, and a training step through the wire",
  arguments: [],
  options,
  examples: ["ibatch doctor", "ibatch doctor --data data --python ~/envs/torch/bin/python"],
  run: async (_, values, signal) => (await import("./doctor.js")).doctor(values, signal),
};
