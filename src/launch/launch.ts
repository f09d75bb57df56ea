/** An experiment from its config to its table: what `ibatch run` does, and what a program can do. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { determiningSettings, type ExperimentConfig, experimentHash, resolveConfig } from "../config/config.js";
import type { ConfigSource } from "../config/config-source.js";
import { OrderSources } from "../config/order-sources.js";
import { unreadSettings } from "../config/unread.js";
import { type IbatchError, usageError } from "../errors.js";
import { claimRuns } from "../experiment/claims.js";
import { type Audience, audienceOf, type Observer } from "../experiment/observer.js";
import { type Shard, type Share, shareOf } from "../experiment/share.js";
import { tuneAndRun } from "../experiment/tuning/tune-and-run.js";
import { packageVersion } from "../package-root.js";
import { ownCommit } from "../process/own-commit.js";
import { ExperimentRecord } from "../record/experiment-record.js";
import { counted } from "../results/number-text.js";
import { importsOf } from "../training/open-request.js";
import { refuseImports, unusedImports } from "./allowed-imports.js";
import { BufferedLog } from "./buffered-log.js";
import { type BackendChoice, dataDirectory, greet, jobsOf, runsAlready, supplyPool } from "./chosen-backend.js";
import { type RayPool, supplyByRay } from "./ray-pool.js";
import { makeResultsOnRecord, type ResultsMade } from "./results-on-record.js";
import { readShard } from "./shard.js";

export interface LaunchOptions extends BackendChoice {
  /** Run directory; `runs/<name>-<hash>` when left out. */
  readonly out?: string | undefined;
  /** Which share of the runs this call does, as `0/2`, or `auto` for that of a Slurm array's task; all when left out. */
  readonly shard?: string | undefined;
  /** Stops the experiment; what is complete stays, and the same call goes on. */
  readonly signal?: AbortSignal;
  /** Is recorded as what made the results; `runExperiment` when left out. */
  readonly command?: string;
  /** Called when the config was found right, before a backend is started. */
  readonly onChecked?: (config: ExperimentConfig) => void;
  /** Called when the run directory is open; what it returns is told of all that happens. */
  readonly observe?: (recording: Recording) => Observer;
  /** Called with a line for a person when something beside the runs failed, which loses none of them. */
  readonly onWarning?: (line: string) => void;
}

export interface Recording {
  readonly directory: string;
  /** Writes a line into the run directory's log.txt. */
  log(line: string): void;
}

export interface LaunchResult extends ResultsMade {
  /** Where everything is recorded. */
  readonly directory: string;
  /** What was missing from some run on, as a backend or data: that run and those after it failed. */
  readonly stoppedBy: IbatchError | undefined;
  /** Backends that were given up, and why, a line each: what they left was done by others, or failed. */
  readonly givenUp: readonly string[];
}

/** As `runExperiment`, for a config that was read. */
export async function launch(source: ConfigSource, given: LaunchOptions): Promise<LaunchResult> {
  const options = { ...given, signal: given.signal ?? new AbortController().signal };
  const said: string[] = [];
  const shard = given.shard === undefined ? undefined : readShard(given.shard);
  const checked = await check(source, options, (line) => said.push(line));
  const share = shard && shareOrRefuse(checked.early, shard);
  const record = openRecord(checked.early, { ...options, command: commandOf(options, shard) });
  try {
    const note = (line: string) => {
      record.log(line);
      options.onWarning?.(line);
    };
    await claimRuns(checked.early, record, share, { signal: options.signal, note }); // before a backend is started for nothing
    if (said.length > 0) record.log(...said);
    return await onBackends({ ...checked, share }, record, options);
  } finally {
    record.close();
  }
}

/** To be given again where no task of an array is. */
function commandOf({ command = "runExperiment" }: LaunchOptions, shard: Shard | undefined): string {
  return shard === undefined ? command : command.replace(/( --shard[ =])auto\b/, `$1${shard.index}/${shard.count}`);
}

type Launching = LaunchOptions & { readonly signal: AbortSignal };

/** A config in which nothing is wrong that can be seen without a backend. */
interface Checked {
  readonly source: ConfigSource;
  readonly orders: OrderSources;
  /** As far as it can be resolved without a backend. */
  readonly early: ExperimentConfig;
}

/** @throws IbatchError of a share without a run: nobody meant to ask for that. */
function shareOrRefuse(config: ExperimentConfig, shard: Shard): Share {
  const share = shareOf(config, shard);
  if (share.size > 0) return share;
  const { index, count } = shard;
  const [most, what] =
    config.tune === undefined
      ? [share.of, `the config has ${counted(share.of, "run")}`]
      : [Object.keys(config.arms).length, "with `tune` each arm is of one shard, for its runs need all of its tuning"];
  throw usageError(`--shard ${index}/${count} has no run: ${what}; ask for ${counted(most, "shard")} at most`);
}

async function check(source: ConfigSource, options: Launching, say: (line: string) => void): Promise<Checked> {
  const { signal, allowImport = [], onWarning, onChecked } = options;
  const isOurs = !runsAlready(options);
  const orders = await OrderSources.load(source, { signal, say });
  const early = resolveConfig(source, orders, undefined);
  if (isOurs) refuseImports(source, early, allowImport);
  for (const module of unusedImports(Object.values(early.arms).flatMap(importsOf), allowImport)) {
    onWarning?.(`--allow-import ${module}: the config imports nothing from there`);
  }
  for (const line of unreadSettings(source)) onWarning?.(line);
  if (isOurs && options.ray === undefined) tellTooManyThreads(early.backend, (line) => onWarning?.(line));
  onChecked?.(early);
  return { source, orders, early };
}

function tellTooManyThreads(config: ExperimentConfig["backend"], warn: (line: string) => void): void {
  const { threads } = config;
  const cores = availableParallelism();
  const jobs = jobsOf(config);
  if (threads === "auto" || threads * jobs <= cores) return;
  const asked = jobs === 1 ? `${threads} threads` : `${jobs} jobs with ${threads} threads each`;
  const best = Math.max(1, Math.floor(cores / jobs));
  warn(`backend.threads: ${asked} on ${cores} cores are slower than ${best}`);
}

/** What backends and orders say meanwhile goes into the log, some lines at a time. */
async function onBackends(
  { source, orders, early, share }: Checked & { readonly share: Share | undefined },
  record: ExperimentRecord,
  options: Launching,
): Promise<LaunchResult> {
  const { signal } = options;
  const buffered = new BufferedLog((lines) => record.log(...lines));
  const isOne = jobsOf(early.backend) === 1;
  const onOutput = (line: string, job: number) => buffered.add(`backend${isOne ? "" : ` ${job + 1}`}: ${line}`);
  let audience: Audience | undefined;
  const note = (line: string) => (audience === undefined ? options.onWarning?.(line) : audience.note(line));
  const imports = Object.values(early.arms).flatMap(importsOf);
  const ray = options.ray === undefined ? undefined : rayPool(options.ray, early, { ...options, buffered, note });
  const pool = ray?.supplies ?? supplyPool(options, { config: early.backend, imports, signal, onOutput, note });
  try {
    const { introduction, pool: greeted } = await greet(pool, options);
    const resolved = resolveConfig(source, orders, introduction.catalogue);
    const workplace = { pool: greeted, dataDir: dataDirectory(options) };
    audience = audienceOf(observing(record, buffered, options), buffered.add); // its clock is that of the runs
    if (share !== undefined) note(shareText(share));
    const experiment = { config: resolved, orders, workplace, record, audience, signal, share };
    const { config, stoppedBy, givenUp } = await tuneAndRun(experiment);
    const { python, onWarning = () => {} } = options;
    const made = await makeResultsOnRecord(record, {
      ...{ python, signal, asked: config, onWarning },
      log: (line) => record.log(line),
      leavesPage: () => {
        const isLeft = record.isLeftToOthers;
        if (isLeft) note("report.html is left to the command that ends last here: others still have runs to do");
        return isLeft;
      },
      onPageFailure: (line) => {
        record.log(line); // runs are not lost for want of a page
        onWarning(line);
      },
    });
    return { directory: record.directory, ...made, stoppedBy, givenUp };
  } finally {
    await Promise.all(pool.map((backends) => backends.discard()));
    await ray?.leave();
    buffered.flush();
    const { failure } = buffered;
    if (failure !== undefined) options.onWarning?.(`log.txt lacks lines: ${failure.message}`);
  }
}

const shareText = ({ shard: { index, count }, size, of }: Share): string =>
  `shard ${index}/${count}: ${size} of ${counted(of, "run")}`;

interface ByRay extends Launching {
  readonly buffered: BufferedLog;
  readonly note: (line: string) => void;
}

function rayPool(address: string, { backend }: ExperimentConfig, options: ByRay): RayPool {
  const { buffered, note, signal } = options;
  const onOutput = (line: string, job: number | undefined) =>
    buffered.add(`${job === undefined ? "ray" : `backend ${job + 1}`}: ${line}`);
  return supplyByRay(address, options, { config: backend, jobs: jobsOf(backend), signal, onOutput, note });
}

function observing(record: ExperimentRecord, buffered: BufferedLog, { observe }: Launching): Observer {
  const log = (line: string) => {
    buffered.flush(); // which came before it
    record.log(line);
  };
  return observe?.({ directory: record.directory, log }) ?? {};
}

/** The experiment's directory, for this config: where it is when nothing else was said. */
export function openRecord(
  config: ExperimentConfig,
  { out, command = "runExperiment" }: Pick<LaunchOptions, "out" | "command">,
): ExperimentRecord {
  const hash = experimentHash(config);
  const identity = {
    name: config.name,
    hash,
    determining: determiningSettings(config),
    command,
    commit: ownCommit(),
    ibatchVersion: packageVersion(),
  };
  return ExperimentRecord.open(out ?? join("runs", `${config.name}-${hash.slice(0, 8)}`), identity, config.record);
}
