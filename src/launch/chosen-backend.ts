import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type Backend, openBackend } from "../backend/backend.js";
import { BackendSupply } from "../backend/supply.js";
import { backendSection } from "../config/common-schema.js";
import type { ExperimentConfig } from "../config/config.js";
import { usageError } from "../errors.js";
import { modulesOf } from "./allowed-imports.js";

/** Which backend, on what, with which data; as the command line's options of these names. */
export interface BackendChoice {
  /** Directory of the data files, on the backend's side; IBATCH_DATA, else ./data, when left out. */
  readonly data?: string | undefined;
  /** Python to run the backend with; IBATCH_PYTHON, else .venv, when left out. */
  readonly python?: string | undefined;
  /** auto, cpu or cuda:N; what the config says when left out. */
  readonly device?: string | undefined;
  /** Control endpoint of a backend that runs already; one is started when left out. */
  readonly backend?: string | undefined;
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
}

/** Starts a backend or attaches to one, as the command line and the config say. */
export async function openChosenBackend(choice: BackendChoice, opening: Opening): Promise<Backend> {
  const { signal, onOutput, mayComeBack, onWaiting, imports = [] } = opening;
  const config = sectionOf(opening);
  const {
    backend: url,
    python,
    device = config.devices?.[0] ?? config.device,
    allowImport = [],
    pythonPath = [],
  } = choice;
  if (url !== undefined) refuseChoicesOfAnother(url, choice);
  const missing = pythonPath.find((directory) => !existsSync(directory));
  if (missing !== undefined) throw usageError(`--python-path ${missing}: there is no such directory`);
  const userCode = { allowImport: url === undefined ? allowImport : modulesOf(imports), pythonPath };
  return await openBackend({ ...config, url, python, device, userCode, signal, onOutput, mayComeBack, onWaiting });
}

/** Backends that a config asks for, to work side by side. */
export const jobsOf = ({ jobs, devices }: ExperimentConfig["backend"]): number => jobs ?? devices?.length ?? 1;

/**
 * As many supplies as the config has jobs, each on the next of its devices, with cores shared out among them.
 * @throws IbatchError where there are several, of a backend that runs already.
 */
export function supplyPool(
  choice: BackendChoice,
  { onOutput, ...opening }: SupplyingPool,
): readonly [BackendSupply, ...BackendSupply[]] {
  const config = sectionOf(opening);
  const jobs = jobsOf(config);
  if (choice.backend !== undefined && jobs > 1) {
    throw usageError(
      `--backend ${choice.backend} trains one run at a time, and backend.jobs are ${jobs}: leave one out`,
    );
  }
  const threads = config.threads === "auto" ? Math.max(1, Math.floor(availableParallelism() / jobs)) : config.threads;
  const supplyOf = (job: number) => {
    const devices = config.devices && [config.devices[job % config.devices.length]];
    const ofJob = choice.backend === undefined ? { ...config, devices, threads } : config;
    return supplyChosenBackend(choice, { ...opening, config: ofJob, onOutput: (line) => onOutput?.(line, job) });
  };
  return [supplyOf(0), ...Array.from({ length: jobs - 1 }, (_, job) => supplyOf(job + 1))];
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

type Supplying = Opening & { readonly note?: (line: string) => void };

/**
 * As `openChosenBackend`, and the same again whenever one was lost; `note` is told each such time where that is
 * one that runs already (`choice.backend`) and is not there yet.
 */
export function supplyChosenBackend(choice: BackendChoice, { note = () => {}, ...opening }: Supplying): BackendSupply {
  const { startSeconds } = sectionOf(opening);
  const onWaiting = () =>
    note(`waiting up to ${startSeconds} s for a backend at ${choice.backend}: start it again there`);
  return new BackendSupply(({ another }) =>
    openChosenBackend(choice, { ...opening, mayComeBack: another, onWaiting: another ? onWaiting : undefined }),
  );
}

/** A backend that is only asked what it knows: on the CPU where it is ours, else whatever it computes on. */
export function openToAsk(choice: Omit<BackendChoice, "device">, signal: AbortSignal): Promise<Backend> {
  return openChosenBackend({ ...choice, device: choice.backend === undefined ? "cpu" : "auto" }, { signal });
}

/** The data directory as the backend is to be told: absolute when the backend is ours, as typed when it is elsewhere. */
export function dataDirectory({ data, backend }: BackendChoice): string {
  const directory = data ?? process.env.IBATCH_DATA ?? "data";
  return backend === undefined ? resolve(directory) : directory;
}
