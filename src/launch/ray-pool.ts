/** Backends that Ray holds on a cluster, as the command line and the config say. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Backend } from "../backend/backend.js";
import { BackendLost } from "../backend/errors.js";
import { type Asking, BackendSupply } from "../backend/supply.js";
import type { ExperimentConfig } from "../config/config.js";
import { surroundingsError, usageError } from "../errors.js";
import { openPlaced } from "../placement/open-placed.js";
import { RayCluster } from "../placement/ray-cluster.js";
import type { Demand } from "../placement/ray-messages.js";
import { findPython } from "../process/find-python.js";
import { earliest } from "../when-aborted.js";
import type { BackendChoice } from "./chosen-backend.js";

type BackendSection = ExperimentConfig["backend"];

/** What has no run gives its place on the cluster to who waits for one. */
class HeldSupply extends BackendSupply {
  rest(): Promise<void> {
    return this.discard();
  }
}

/** What is said of one and the same backend by both is refused. */
const EXCLUDED = ["backend", "keys"] as const;

const GIB = 2 ** 30;
/** A controller that is there is heard of at every heartbeat. */
const SILENCES = 2;

/** As many supplies as the config has jobs, of one cluster, which is left when all are done. */
export interface RayPool {
  readonly supplies: readonly [HeldSupply, ...HeldSupply[]];
  leave(): Promise<void>;
}

export interface SupplyingByRay {
  readonly config: BackendSection;
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Told which job it is of, from 0; undefined: of the cluster. */
  readonly onOutput: (line: string, job: number | undefined) => void;
  readonly note: (line: string) => void;
}

/** @throws IbatchError where something is said that does not go together. */
export function supplyByRay(address: string, choice: BackendChoice, supplying: SupplyingByRay): RayPool {
  const { config, jobs, signal, note } = supplying;
  const { allowImport = [], pythonPath = [] } = choice;
  refuseOthers(address, choice, config);
  const cluster = new RayCluster({
    ...{ python: findPython(choice.python), address, startSeconds: config.startSeconds, signal },
    pythonPath: pythonPath.map((directory) => resolve(directory)),
    onOutput: (line) => supplying.onOutput(line, undefined),
  });
  const demand = demandOf(config);
  const threads = config.threads === "auto" ? demand.cpus : config.threads;
  const device = deviceOf(choice.device ?? config.device, demand);
  const order = {
    startSeconds: config.startSeconds,
    arguments: [
      ...["--device", device, "--threads", String(threads)],
      ...["--end-after-silence", String(SILENCES * config.heartbeat.limitSeconds)],
      ...allowImport.flatMap((module) => ["--allow-import", module]),
    ],
  };
  const supplyOf = (job: number) => {
    const onOutput = (line: string) => supplying.onOutput(line, job);
    const queue = new Queue(signal, note);
    return new HeldSupply({ name: `Ray's backend ${job + 1}`, isElsewhere: true }, (asking) =>
      queue.pass(asking, (until, onWaiting) => {
        const placing = { demand, order, signal: until, onWaiting, onOutput };
        return openPlaced(cluster, placing, { ...config, device, threads, signal: until });
      }),
    );
  };
  const supplies = [supplyOf(0), ...Array.from({ length: jobs - 1 }, (_, job) => supplyOf(job + 1))] as const;
  return { supplies, leave: () => cluster.stop() };
}

type Open = (until: AbortSignal, onWaiting: (what: string) => void) => Promise<Backend>;

/** A supply's way through Ray's queue. */
class Queue {
  readonly #signal: AbortSignal;
  readonly #note: (line: string) => void;
  /** Who asks again after that has no run in hand, and waits for as long as there are any. */
  #saidBusy = false;

  constructor(signal: AbortSignal, note: (line: string) => void) {
    this.#signal = signal;
    this.#note = note;
  }

  /**
   * Waits for room; where others do what is left, this is said first, so that the run goes to these.
   * @throws IbatchError of what is missing, also where it was lost before it did anything; Interrupted.
   */
  async pass({ waits = true, over }: Asking, open: Open): Promise<Backend> {
    const busy = new AbortController();
    let lacks = "";
    const onWaiting = (what: string) => {
      lacks = what;
      if (waits) this.#note(what);
      else if (!this.#saidBusy) busy.abort();
    };
    const until = earliest(this.#signal, over, busy.signal);
    try {
      const backend = await open(until.signal, onWaiting);
      this.#saidBusy = false;
      return backend;
    } catch (error) {
      if (busy.signal.aborted && !this.#signal.aborted) {
        this.#saidBusy = true;
        throw surroundingsError(lacks);
      }
      throw error instanceof BackendLost ? surroundingsError(error.message) : error;
    } finally {
      until.forget();
    }
  }
}

/** What a node has to have free for one. */
export function demandOf({ resources, threads }: BackendSection): Demand {
  const { cpus = threads === "auto" ? 1 : threads, gpus = 0, memory } = resources ?? {};
  return { cpus, gpus, memoryBytes: memory === undefined ? null : Math.round(memory * GIB) };
}

/** One that a GPU is kept for computes on it, and no other does. */
function deviceOf(device: string, { gpus }: Demand): string {
  const isGpu = device.startsWith("cuda");
  if (isGpu && gpus === 0) throw usageError(`backend.device is ${device}: ask for it by backend.resources.gpus=1, too`);
  if (device === "auto") return gpus > 0 ? "cuda" : "cpu";
  return device;
}

function refuseOthers(address: string, choice: BackendChoice, { devices }: BackendSection): void {
  const other = EXCLUDED.find((key) => choice[key] !== undefined);
  if (other !== undefined) {
    throw usageError(`--ray ${address} has backends started on a cluster, and --${other} is for others: leave one out`);
  }
  if (devices !== undefined) {
    throw usageError(`--ray ${address}: Ray chooses the devices: give backend.jobs and backend.resources, not devices`);
  }
  const missing = (choice.pythonPath ?? []).find((directory) => !existsSync(directory));
  if (missing !== undefined) throw usageError(`--python-path ${missing}: there is no such directory`);
}
