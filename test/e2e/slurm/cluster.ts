/** A stand-in for a Slurm cluster: its commands, and what it does with the jobs in its queue. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { z } from "zod";

const jobSchema = z.strictObject({
  id: z.int(),
  script: z.string(),
  args: z.array(z.string()),
  options: z.record(z.string(), z.string()),
  directory: z.string(),
  environment: z.record(z.string(), z.string()),
});
type Job = z.infer<typeof jobSchema>;

/** One start of a job, or of a task of an array. */
export interface Start {
  /** JOB_TASK, or JOB. */
  readonly name: string;
  /** Its number in the array. */
  readonly task: number | undefined;
  readonly restarts: number;
  /** Sends it what Slurm sends before the time limit, as `--signal` says. */
  warn(): void;
  /** Sends SIGTERM to its shell, as `scancel` does. */
  cancel(): void;
}

export class Cluster {
  readonly #folder: string;

  /** In a new folder. */
  constructor(folder: string) {
    this.#folder = folder;
    for (const name of ["bin", "queue", "requeued", "spool"]) mkdirSync(join(folder, name), { recursive: true });
    for (const name of ["sbatch", "scontrol"]) {
      const program = join(import.meta.dirname, `${name}.mjs`);
      executable(join(folder, "bin", name), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
    }
  }

  /** For commands that submit. */
  get environment(): Record<string, string> {
    const path = [join(this.#folder, "bin"), process.env.PATH].join(delimiter);
    return { PATH: path, STAND_IN_FOR_SLURM: this.#folder };
  }

  /**
   * Does all jobs in the queue, one after another, tasks of an array side by side, until none is to be started again.
   * Resolves to how each start of each ended.
   */
  async work(started: (start: Start) => void = () => {}): Promise<Record<string, (number | null)[]>> {
    const ended: Record<string, (number | null)[]> = {};
    for (const file of readdirSync(join(this.#folder, "queue")).sort()) {
      const job = jobSchema.parse(JSON.parse(readFileSync(join(this.#folder, "queue", file), "utf8")));
      refuseUnmet(job, ended);
      const tasks = tasksOf(job);
      await Promise.all(
        tasks.map(async (task) => {
          ended[task.name] = await this.#untilOver(job, task, started);
        }),
      );
    }
    return ended;
  }

  async #untilOver(job: Job, task: Task, started: (start: Start) => void): Promise<(number | null)[]> {
    const requeued = join(this.#folder, "requeued", task.name);
    const codes = [];
    do {
      rmSync(requeued, { force: true });
      codes.push(await this.#once(job, task, codes.length, started));
    } while (existsSync(requeued));
    return codes;
  }

  #once(job: Job, { name, number, variables }: Task, restarts: number, started: (start: Start) => void) {
    const script = join(this.#folder, "spool", name); // a copy, as of Slurm: it does not know where it came from
    executable(script, job.script);
    const log = openSync(join(job.directory, logOf(job, number)), job.options["open-mode"] === "append" ? "a" : "w");
    const shell = spawn(script, job.args, {
      cwd: job.directory,
      env: { ...job.environment, ...variables, ...(restarts > 0 && { SLURM_RESTART_COUNT: `${restarts}` }) },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    const code = new Promise<number | null>((resolve, reject) => {
      shell.once("error", reject);
      shell.once("exit", resolve);
    });
    const warn = () => void shell.kill(signalBeforeLimit(job));
    started({ name, task: number, restarts, warn, cancel: () => void shell.kill("SIGTERM") });
    return code;
  }
}

interface Task {
  readonly name: string;
  readonly number: number | undefined;
  readonly variables: Record<string, string>;
}

function tasksOf({ id, options: { array } }: Job): Task[] {
  if (array === undefined) return [{ name: `${id}`, number: undefined, variables: { SLURM_JOB_ID: `${id}` } }];
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(array) ?? [];
  if (first === undefined) throw new Error(`the stand-in for Slurm does not know --array=${array}`);
  const [least, most] = [Number(first), Number(last)];
  return Array.from({ length: most - least + 1 }, (_, place) => {
    const number = least + place;
    const variables = {
      SLURM_JOB_ID: `${id + place}`,
      SLURM_ARRAY_JOB_ID: `${id}`,
      SLURM_ARRAY_TASK_ID: `${number}`,
      SLURM_ARRAY_TASK_COUNT: `${most - least + 1}`,
      SLURM_ARRAY_TASK_MIN: `${least}`,
      SLURM_ARRAY_TASK_MAX: `${most}`,
      SLURM_ARRAY_TASK_STEP: "1",
    };
    return { name: `${id}_${number}`, number, variables };
  });
}

/** Jobs are done in the sequence in which they were submitted, so that what one waits for is over. */
function refuseUnmet({ options: { dependency } }: Job, ended: Record<string, unknown>): void {
  if (dependency === undefined) return;
  const [, on] = /^afterany:(\d+)$/.exec(dependency) ?? [];
  if (on === undefined || !Object.keys(ended).some((name) => name.split("_")[0] === on)) {
    throw new Error(`--dependency=${dependency} is never met`);
  }
}

const logOf = ({ id, options: { output } }: Job, task: number | undefined): string =>
  (output ?? "slurm-%A.out").replaceAll("%A", `${id}`).replaceAll("%a", `${task}`);

/** To the batch shell alone, and up to a minute early: one that would come as soon as the job has begun is a mistake. */
function signalBeforeLimit({ options: { signal = "", time = "" } }: Job): "SIGUSR1" {
  const [, before] = /^B:USR1@(\d+)$/.exec(signal) ?? [];
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d)$/.exec(time) ?? [];
  const limit = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (before === undefined || !(Number(before) + 60 < limit)) {
    throw new Error(`--signal=${signal} and --time=${time}: B:USR1 is expected, more than a minute after the start`);
  }
  return "SIGUSR1";
}

function executable(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}
