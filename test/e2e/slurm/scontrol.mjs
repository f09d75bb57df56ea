// A stand-in for Slurm's scontrol: `scontrol requeue JOB_TASK`, given by the task's own script, which Slurm then ends.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [verb, task, ...rest] = process.argv.slice(2);
const [, job] = /^(\d+)_\d+$/.exec(task ?? "") ?? [];
if (verb !== "requeue" || job === undefined || rest.length > 0) throw new Error("expected scontrol requeue JOB_TASK");
const { options } = JSON.parse(readFileSync(join(process.env.STAND_IN_FOR_SLURM, "queue", `${job}.json`), "utf8"));
if (options.requeue === undefined || options["no-requeue"] !== undefined) {
  console.error("Requested operation is presently disabled for job", task);
  process.exit(1);
}
writeFileSync(join(process.env.STAND_IN_FOR_SLURM, "requeued", task), "");
process.kill(process.ppid, "SIGTERM");
