import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type Backend, openBackend } from "../backend/backend.js";
import type { Credentials } from "../backend/credentials.js";
import { BackendSupply } from "../backend/supply.js";
import { backendSection } from "../config/common-schema.js";
import type { ExperimentConfig } from "../config/config.js";
import { IbatchError, surroundingsError, usageError } from "../errors.js";
import { earliest } from "../when-aborted.js";
import { modulesOf } from "./allowed-imports.js";
import { credentialsFor } from "./credentials.js";

/** Which backend, on what, with which data; as the command line's options of these names. */
export interface BackendChoice {
  /** Directory of the data files, on the backend's side; IBATCH_DATA, else ./data, when left out. */
  readonly data?: string | undefined;
  /** Python to run the backend with; IBATCH_PYTHON, else .venv, when left out. */
  readonly python?: string | undefined;
  /** auto, cpu or cuda:N; what the config says when left out. */
  readonly device?: string | undefined;
  /** Control endpoints of backends that run already, as a list or with commas; one is started when left out. */
  readonly backend?: string | readonly string[] | undefined;
  /** Directory with client.key_secret and server.key, for backends that run already over tcp; IBATCH_KEYS when left out. */
  readonly keys?: string | undefined;
  /** auto, or the address of a Ray cluster that holds the backends; `ibatch run` alone. */
  readonly ray?: string | undefined;
  /** Modules of yours that a config's references may name, with their submodules: importing them runs their code. */
  readonly allowImport?: readonly string[] | undefined;
  /** Directories to look for them in. */
  readonly pythonPath?: readonly string[] | undefined;
}

export interface Opening {
  readonly signal: AbortSignal;
  /** The config's section; absent: its defaults. */
  readonly config?: ExperimentConfig["backend"];
  readonly onOutput?: (line: string) => void;
  /** References that the config names: a backend that runs already has to be allowed to import them. */
  readonly imports?: readonly string[];
  /** Whether a backend that runs already may be on its way back. */
  readonly mayComeBack?: boolean;
  /** Told where one that runs already is not there yet. */
  readonly onWaiting?: (() => void) | undefined;
  /** What is proven to one that runs already; what the user has for its endpoint when left out. */
  readonly credentials?: Credentials | undefined;
}

/**
 * The backends that run already: each comma before another endpoint parts two.
 * @throws IbatchError where one is named twice.
 */
function endpointsOf({ backend = [] }: Pick<BackendChoice, "backend">): readonly string[] {
  const given = typeof backend === "string" ? [backend] : backend;
  const urls = given.flatMap((text) => text.split(/,(?=\s*[a-z]+:\/\/)/).map((url) => url.trim()));
  const twice = urls.find((url, at) => urls.indexOf(url) < at);
  if (twice !== undefined) throw usageError(`--backend ${twice} is named twice: name each backend once`);
  return urls;
}

/** @throws IbatchError where several are named. */
function oneEndpoint(choice: BackendChoice): string | undefined {
  const urls = endpointsOf(choice);
  if (urls.length <= 1) return urls[0];
  throw usageError(
    `--backend ${urls.join(",")}: one backend is asked here, and only \`ibatch run\` takes several; name one`,
  );
}

/** Starts a backend or attaches to one, as the command line and the config say. */
export async function openChosenBackend(choice: BackendChoice, opening: Opening): Promise<Backend> {
  const { signal, onOutput, mayComeBack, onWaiting, imports = [] } = opening;
  const config = sectionOf(opening);
  const { python, device = config.devices?.[0] ?? config.device, allowImport = [], pythonPath = [] } = choice;
  const url = oneEndpoint(choice);
  if (url !== undefined) refuseChoicesOfAnother(url, choice);
  else if (choice.keys !== undefined)
    throw usageError(`--keys ${choice.keys}: keys are for a backend that runs already; name it with --backend`);
  const missing = pythonPath.find((directory) => !existsSync(directory));
  if (missing !== undefined) throw usageError(`--python-path ${missing}: there is no such directory`);
  const userCode = { allowImport: url === undefined ? allowImport : modulesOf(imports), pythonPath };
  const credentials = url === undefined ? undefined : (opening.credentials ?? credentialsFor(url, choice.keys));
  return await openBackend({
    ...config,
    ...{ url, credentials, python, device, userCode },
    ...{ signal, onOutput, mayComeBack, onWaiting },
  });
}

/** Backends that a config asks for, to work side by side. */
export const jobsOf = ({ jobs, devices }: ExperimentConfig["backend"]): number => jobs ?? devices?.length ?? 1;

/** Supplies that work side by side. */
export type Pool = readonly [BackendSupply, ...BackendSupply[]];

/**
 * A supply for each backend that runs already; else as many as the config has jobs, each on the next of its devices, with
 * cores shared out among them.
 * @throws IbatchError where the config has other jobs than there are backends.
 */
export function supplyPool(choice: BackendChoice, { onOutput, ...opening }: SupplyingPool): Pool {
  const config = sectionOf(opening);
  const urls = endpointsOf(choice);
  refuseOtherJobs(urls, config);
  const jobs = urls.length === 0 ? jobsOf(config) : urls.length;
  const cores = Math.max(1, Math.floor(availableParallelism() / jobs));
  const threads = config.threads === "auto" && urls.length === 0 ? cores : config.threads;
  const instances = new Map<string, string>();
  const supplyOf = (job: number) => {
    const devices = config.devices && [config.devices[job % config.devices.length]];
    const ofJob = { ...opening, config: { ...config, devices, threads } };
    const url = urls[job];
    if (url === undefined) {
      return supplyChosenBackend(choice, {
        ...ofJob,
        name: `backend ${job + 1}`,
        onOutput: (line) => onOutput?.(line, job),
      });
    }
    const onOpened = (backend: Backend) => refuseTwice(instances, url, backend);
    return supplyChosenBackend({ ...choice, backend: url }, { ...ofJob, onOpened });
  };
  return [supplyOf(0), ...Array.from({ length: jobs - 1 }, (_, job) => supplyOf(job + 1))];
}

function refuseOtherJobs(urls: readonly string[], { jobs, devices }: ExperimentConfig["backend"]): void {
  const count = jobs ?? devices?.length;
  if (urls.length === 0 || count === undefined || count === urls.length) return;
  const those = urls.length === 1 ? "is one backend, which trains" : `are ${urls.length} backends, which train`;
  const said = jobs === undefined ? `backend.devices are ${count}` : `backend.jobs are ${count}`;
  throw usageError(`--backend ${urls.join(",")} ${those} one run at a time each, and ${said}: leave one out`);
}

/** @throws IbatchError where two endpoints lead to one backend: a run at one would take the session from the other's. */
function refuseTwice(instances: Map<string, string>, url: string, { client }: Backend): void {
  const { instance } = client.introduction;
  const same = [...instances].find(([other, its]) => other !== url && its === instance);
  if (same !== undefined) throw usageError(`${same[0]} and ${url} lead to one backend: name it once`);
  instances.set(url, instance);
}

/**
 * The pool with those that are there first, and what the first of them says of itself. Of backends that run already all are
 * greeted; those that are not there yet, or that cannot be started, are left to the runs, which tell of them.
 * @throws IbatchError where none is there, naming all that run already; Interrupted.
 */
export async function greet(pool: Pool, choice: BackendChoice) {
  if (endpointsOf(choice).length < 2) return firstToStart(pool);
  const greeted = await Promise.allSettled(pool.map((backends) => backends.get()));
  const there = greeted.flatMap((one, at) => (one.status === "fulfilled" ? [{ supply: pool[at], ...one.value }] : []));
  const away = greeted.flatMap((one, at) => (one.status === "rejected" ? [{ supply: pool[at], why: one.reason }] : []));
  const wrong = away.find(({ why }) => !(why instanceof IbatchError) || why.kind !== "surroundings");
  if (wrong !== undefined) throw wrong.why;
  const [first, ...others] = there;
  if (first === undefined) {
    throw surroundingsError(`none of these backends is there: ${away.map(({ why }) => why.message).join("; ")}`);
  }
  const sorted: Pool = [first.supply, ...[...others, ...away].map(({ supply }) => supply)];
  return { pool: sorted, introduction: first.introduction };
}

const sectionOf = ({ config }: Opening): ExperimentConfig["backend"] => config ?? backendSection.parse({});

/** @throws IbatchError where something is said that a backend that runs already has decided. */
function refuseChoicesOfAnother(url: string, { python, allowImport = [], pythonPath = [] }: BackendChoice): void {
  const [said] = [
    ...(python === undefined ? [] : [`--python ${python}`]),
    ...allowImport.map((module) => `--allow-import ${module}`),
    ...pythonPath.map((directory) => `--python-path ${directory}`),
  ];
  if (said === undefined) return;
  throw usageError(
    said.startsWith("--python ")
      ? `${said}: --backend ${url} runs already, with a Python of its own; leave one of them out`
      : `${said}: --backend ${url} runs already; start that backend with ${said}, and leave it out here`,
  );
}

interface SupplyingPool extends Omit<Supplying, "onOutput"> {
  /** Told which job it is of, from 0. */
  readonly onOutput?: (line: string, job: number) => void;
}

type Supplying = Opening & {
  /** Of a backend that is ours. */
  readonly name?: string;
  readonly note?: (line: string) => void;
  /** Told of each one that was opened; what it throws ends that one. */
  readonly onOpened?: (backend: Backend) => void;
};

/**
 * As `openChosenBackend`, and the same again whenever one was lost; `note` is told each such time where that is
 * one that runs already (`choice.backend`) and is not there yet.
 */
export function supplyChosenBackend(choice: BackendChoice, supplying: Supplying): BackendSupply {
  const { name = "the backend", note = () => {}, onOpened = () => {}, ...opening } = supplying;
  const { startSeconds } = sectionOf(opening);
  const url = oneEndpoint(choice);
  const onWaiting = () => note(`waiting up to ${startSeconds} s for a backend at ${url}: start it again there`);
  const place = { name: url ?? name, isElsewhere: url !== undefined };
  return new BackendSupply(place, async ({ another, waits = true, over }) => {
    const mayComeBack = another && waits;
    const waiting = { mayComeBack, onWaiting: mayComeBack ? onWaiting : undefined };
    const { signal, forget } = earliest(opening.signal, over);
    const backend = await openChosenBackend(choice, { ...opening, ...waiting, signal }).finally(forget);
    try {
      onOpened(backend);
      return backend;
    } catch (error) {
      await backend.stop();
      throw error;
    }
  });
}

/** @throws IbatchError that the first of them met, where none starts; Interrupted. */
async function firstToStart(pool: Pool) {
  let why: unknown;
  for (const [at, supply] of pool.entries()) {
    try {
      const { introduction } = await supply.get();
      const sorted: Pool = [supply, ...pool.slice(at + 1), ...pool.slice(0, at)];
      return { pool: sorted, introduction };
    } catch (error) {
      if (!(error instanceof IbatchError) || error.kind !== "surroundings") throw error;
      why ??= error;
    }
  }
  throw why;
}

/** Whether backends are used that run already. */
export const runsAlready = (choice: BackendChoice): boolean => endpointsOf(choice).length > 0;

/** A backend that is only asked what it knows: on the CPU where it is ours, else whatever it computes on. */
export function openToAsk(choice: Omit<BackendChoice, "device">, signal: AbortSignal): Promise<Backend> {
  return openChosenBackend({ ...choice, device: runsAlready(choice) ? "auto" : "cpu" }, { signal });
}

/** The data directory as the backend is to be told: absolute when the backend is ours, as typed when it is elsewhere. */
export function dataDirectory(choice: BackendChoice): string {
  const directory = choice.data ?? process.env.IBATCH_DATA ?? "data";
  return runsAlready(choice) ? directory : resolve(directory);
}
