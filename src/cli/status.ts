import { resolve } from "node:path";
import { aligned } from "../aligned.js";
import {
  type ExperimentStatus,
  isOver,
  type RunStanding,
  readStatus,
  type Standing,
} from "../experiment/experiment-status.js";
import { quoted } from "../process/shell-words.js";
import { holderText } from "../record/lock-holder.js";
import { EXIT } from "./exit-codes.js";
import type { StatusOptions } from "./status-command.js";

/** `ibatch status`: reads what is on record, and starts nothing. */
export function status(directory: string, { json }: StatusOptions): number {
  const read = readStatus(directory);
  process.stdout.write(json ? `${JSON.stringify(read, null, 2)}\n` : told(read));
  return allRuns(read).some(({ standing }) => standing === "damaged") ? EXIT.usage : EXIT.done;
}

const allRuns = ({ runs, tuning }: ExperimentStatus): readonly RunStanding[] => [...(tuning ?? []), ...runs];

function told(read: ExperimentStatus): string {
  const { directory, name, inUseBy, runs, tuning } = read;
  const user = inUseBy.length === 0 ? "" : `In use by ${inUseBy.map(holderText).join(", ")}\n`;
  const isWhole = allRuns(read).every(isOver);
  const next = isWhole || inUseBy.length > 0 ? "" : `\n${toGoOn(read)}\n`;
  const own = `${directory}: ${name}, ${counted(runs)}`;
  if (tuning === null) return `${own}\n${user}\n${table(runs)}${next}`;
  const before = `before them tuning, ${counted(tuning)}`;
  return `${own}; ${before}\n${user}\n${table(runs)}\ntuning\n\n${table(tuning)}${next}`;
}

/** The command as it was called: it and its paths are of where it was given. A copy is not the directory that it names. */
function toGoOn(read: ExperimentStatus): string {
  const { directory, command, givenIn, movedFrom, shard } = read;
  const isElsewhere = givenIn !== null && givenIn !== process.cwd();
  const out = quoted(isElsewhere ? resolve(directory) : directory);
  const isCommand = command.includes(" run "); // and not what a program did
  const given = (asked: string) =>
    movedFrom === null || !isCommand ? asked : `${asked.replace(OUT, "")} --out ${out}`;
  const moved = movedFrom === null ? "" : `Copied or moved from ${movedFrom}. `;
  const where = isElsewhere ? `, in ${givenIn}` : "";
  const once = onceMended(allRuns(read));
  const all = given(isCommand ? command.replace(SHARD, "") : command);
  if (!isCommand || shard === null || shard.own + shard.others === 0) return `${moved}To go on${where}${once}: ${all}`;
  const own = `To go on with shard ${shard.shard}${where}${once}: ${given(command)}`;
  const others =
    `${shard.others} of the runs that are left ${shard.others === 1 ? "is" : "are"} of other shards, which may do ` +
    `them in directories of their own. To do them here, too${where}${once}: ${all}`;
  return moved + [...(shard.own > 0 ? [own] : []), ...(shard.others > 0 ? [others] : [])].join("\n");
}

/** What the command asks for before it goes on with these. */
function onceMended(runs: readonly RunStanding[]): string {
  const isThere = (wanted: Standing) => runs.some(({ standing }) => standing === wanted);
  const first = [
    ...(isThere("damaged") ? ["what is damaged is removed"] : []),
    ...(isThere("refused") ? ["what is refused is mended or removed"] : []),
  ];
  return first.length === 0 ? "" : `, once ${first.join(", and ")}`;
}

/** As it is recorded: quoted for a shell. */
const OUT = / --out[ =](?:'[^']*'|\\.|[^\s'\\])+/;

/** Without it, what is left of all shards is done. */
const SHARD = / --shard[ =]\S+/;

const STANDINGS: readonly Standing[] = [
  "done",
  "diverged",
  "under way",
  "waiting",
  "resumable",
  "refused",
  "to begin anew",
  "failed",
  "damaged",
  "not begun",
];

/** "6 runs: 4 done, 2 not begun". */
function counted(runs: readonly RunStanding[]): string {
  const counts = STANDINGS.flatMap((standing) => {
    const count = runs.filter((run) => run.standing === standing).length;
    return count === 0 ? [] : [`${count} ${standing}`];
  });
  return `${runs.length} ${runs.length === 1 ? "run" : "runs"}: ${counts.join(", ")}`;
}

function table(runs: readonly RunStanding[]): string {
  const rows = [
    ["arm", "seed", "state", "epochs", ""],
    ...runs.map((run) => [run.arm, `${run.seed}`, run.standing, epochsOf(run), detailOf(run)]),
  ];
  return `${aligned(rows).join("\n")}\n`;
}

const epochsOf = ({ epochs, ofEpochs }: RunStanding): string => {
  if (epochs === null) return "–";
  return ofEpochs === null ? `${epochs}` : `${epochs} of ${ofEpochs}`; // a budget is of no number of epochs
};

/** What there is to say beside the state. */
function detailOf({ standing, checkpoint, resumedFrom, divergedAtStep, error, heldBy }: RunStanding): string {
  const details = [
    ...(heldBy === null ? [] : [holderText(heldBy)]),
    ...(divergedAtStep === null ? [] : [`at step ${divergedAtStep}`]),
    ...(error === null ? [] : [error]),
    ...(checkpoint === null ? [] : [checkpointOf(standing, checkpoint)]),
    ...(checkpoint === null && standing === "waiting" ? ["waits for a backend, and begins anew"] : []),
    ...(resumedFrom.length === 0 ? [] : [`went on from step ${resumedFrom.join(", ")}`]),
  ];
  return details.join("; ");
}

function checkpointOf(standing: Standing, step: number): string {
  if (standing === "done" || standing === "diverged") return `its last checkpoint is kept, of step ${step}`;
  if (standing === "waiting") return `waits for a backend, and goes on from step ${step}`;
  return standing === "resumable" ? `goes on from step ${step}` : `last checkpoint at step ${step}`;
}
