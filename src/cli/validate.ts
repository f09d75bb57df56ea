import { ConfigSource } from "../config/config-source.js";
import { parseValue } from "../config/setting.js";
import { usageError } from "../errors.js";
import { isRecord } from "../exact-json.js";
import { openRecord } from "../launch/launch.js";
import { counted } from "../results/number-text.js";
import { checkTable } from "../validate/check-table.js";
import { validate } from "../validate/validate.js";
import { EXIT } from "./exit-codes.js";
import { note } from "./note.js";
import type { ValidateCommandOptions } from "./validate-command.js";

/** `ibatch validate`: exit code 1 when a check fails. */
export async function validateConfig(
  path: string,
  options: ValidateCommandOptions,
  signal: AbortSignal,
): Promise<number> {
  const { set, limit, referenceArgs, device, out, ...rest } = options;
  const settings = set.map((assignment) => ({ said: `--set ${assignment}`, assignment }));
  if (device !== undefined) settings.push({ said: `--device ${device}`, assignment: `backend.device=${device}` });
  const source = ConfigSource.read(path, settings);
  const args = readArguments(referenceArgs);
  const command = ["ibatch", ...process.argv.slice(2)].join(" ");
  const { config, document } = await validate(source, {
    ...rest,
    out,
    referenceArgs: args,
    limitSeconds: limit,
    command,
    signal,
  });
  const { arm, seed, batches, torch, checks } = document;
  const failed = checks.filter(({ verdict }) => verdict === "fail").length;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ name: config.name, ...document }, null, 2)}\n`);
  } else {
    const verdict = failed === 0 ? "all checks passed" : `${failed} of ${checks.length} checks failed`;
    const where = `${config.name}, arm ${arm}, seed ${seed}, ${counted(batches, "batch", "batches")}, torch ${torch}`;
    process.stdout.write(`${where}\n\n${checkTable(checks)}\n${verdict}\n`);
  }
  const record = openRecord(config, { out, command });
  try {
    record.writeValidation(document, config);
  } finally {
    record.close();
  }
  note(`recorded in ${record.directory}; \`ibatch report\` shows it`);
  return failed === 0 ? EXIT.done : EXIT.no;
}

function readArguments(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  const value = parseValue(`--reference-args ${text}`, text);
  if (isRecord(value)) return value;
  throw usageError(`--reference-args ${text}: expected a map, for instance '{ num_classes: 10 }'`);
}
