// The tables of what was done and what came of it, and the page with them: docs/results/chaos.md.
import { execFileSync } from "node:child_process";
import os from "node:os";
import { ROOT } from "./command.mjs";

/** What was done, each way to disturb apart. */
export function tableOfWays(results) {
  const ways = [...new Set(results.flatMap(({ planned }) => planned))];
  return table(
    ["what was done", "times", "cases", "of them failed"],
    ways.map((way) => {
      const cases = results.filter(({ planned }) => planned.includes(way));
      const [{ skipped }] = cases;
      const times = sumOf(cases, ({ injected }) => injected?.get(way));
      return [way, skipped === undefined ? times : `skipped: ${skipped}`, cases.length, failedOf(cases)];
    }),
  );
}

/** What it cost, each kind of disturbance apart. `results[0]` is of the undisturbed run. */
export function tableOfKinds(results) {
  const [undisturbed, ...disturbed] = results;
  const kinds = [...new Set(disturbed.map(({ kind }) => kind))];
  const rowOf = (name, cases) => [
    ...[
      name,
      sumOf(cases, ({ injected }) => injected && [...injected.values()].reduce((a, b) => a + b, 0)),
      cases.length,
    ],
    ...["commands", "resumed", "unused", "anew"].map((column) => sumOf(cases, (one) => one[column])),
    sumOf(cases, ({ seconds }) => seconds).toFixed(0),
    failedOf(cases),
  ];
  return table(
    [
      ...["what was disturbed", "times", "cases", "commands", "runs gone on from a checkpoint"],
      ...["checkpoints not used", "runs begun anew", "seconds", "cases that failed"],
    ],
    [
      rowOf("nothing", [undisturbed]),
      ...kinds.map((kind) =>
        rowOf(
          kind,
          disturbed.filter((one) => one.kind === kind),
        ),
      ),
    ],
  );
}

/** @param {{ command: string, commit: string, seconds: number, lanes: number, load: number }} of `commit`: at its start. */
export function pageOf(results, { command, commit, seconds, lanes, load }) {
  const later = commitNow();
  const failed = failedOf(results);
  return `# Chaos: whatever dies, the same command continues

Made by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commit}${later === commit ? "" : ` (${later} when it ended)`}, in ${Math.round(seconds / 60)} minutes, ${lanes} cases at
a time. ${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, ${os.platform()} ${os.release()}; Node ${process.versions.node}. Load average at its start: ${load.toFixed(1)}.

Each case gives the real command with the real backend on the CPU, disturbs it, and gives the same command again, which
must end with 0. A disturbance counts where it came at the moment that it was meant for: *saving* while a checkpoint is
unfinished, *planning* while the order makes a plan, a full disk where the run's log says that a save was refused, damage
where the command was seen to pass the checkpoint over. *SIGINT twice*: the second one ends what the first one left
waiting for a backend that is stopped. *Whole job*: the signal goes to the controller and the backend
at once, as from a scheduler. A run that has begun must get another backend when it loses its own, also where that one
dies as it starts; where none has begun, the command may fail. Each run must go on from its newest
checkpoint, and have that on record: where it last did at least, and each time where no controller was killed. No command may lose the checkpoint that is newest when it begins, or
becomes it while it runs, before there is a newer one or the run is done: they are looked at every few milliseconds. A run that is asked to end by SIGINT, SIGTERM, SIGHUP or SIGUSR1
must have a last checkpoint of the step where it stopped, unless that is 0; where the 5 s for that were used up, the disturbance does not
count. In the end every file of every run must equal the undisturbed run's, byte for byte: metrics, orders, signals,
predictions, images, and the final checkpoint, which holds the weights, the optimiser's state and the controller's. Only
what tells of time, of attempts or of the commit may differ. No process, lock, socket or temporary file may be left.

*Messages of chance* are random bytes, random MessagePack, and the test vectors with bytes or fields changed: each is a function of seed and number, and a fault names both.
A backend must answer each, and none by a bug of its own; a controller must end with the right answer, or say why not. Memory may grow by at most 64 MiB at a
backend, 256 at a controller that makes a connection after each refusal, and the runs beside must record the same. *Silent and slow peers*: runs with and without them in turn, which may take 10 % more time,
and processor time of the backend, at most.
The runs have dropout, BatchNorm, augmentation, micro-batches, batches that grow, Adam, scoring passes, an order with memory, and
\`weighted\` by mean losses with a fraction ([chaos/experiment](../../chaos/experiment)).

*Jobs*: two or three runs are trained side by side. *Link*: the backend was started by hand, and a relay between it and the controller lets
nothing pass for a while (silent), or closes its connections and lets none in.
Messages are disturbed by a proxy between the controller and a backend that runs already, in either direction on both sockets: one
in fifty is lost, doubled, held back behind later ones, or followed by an old one. Each case has 25 schedules of that, of two small runs each.

${failed === 0 ? "No case failed." : `**${failed} cases failed.**`}

## What it cost

${tableOfKinds(results)}

## What was done

${tableOfWays(results)}
`;
}

const table = (head, rows) =>
  [head, head.map((_, column) => (column === 0 ? "---" : "--:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

const sumOf = (cases, of) => cases.reduce((total, one) => total + (of(one) ?? 0), 0);

export const failedOf = (results) => results.filter(({ faults = [] }) => faults.length > 0).length;

/** And whether the working tree is as it says. */
export function commitNow() {
  const git = (...args) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  try {
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain") ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}
