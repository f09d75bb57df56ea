// A small experiment on a backend that only pretends, recorded in a temporary directory.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { determiningSettings, type ExperimentConfig, experimentHash, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { Interrupted } from "../../src/errors.js";
import type { Backends } from "../../src/experiment/backends.js";
import { audienceOf, type Observer } from "../../src/experiment/observer.js";
import type { RunResult } from "../../src/experiment/run-result.js";
import { type Shard, shareOf } from "../../src/experiment/share.js";
import { tuneAndRun } from "../../src/experiment/tuning/tune-and-run.js";
import { ExperimentRecord } from "../../src/record/experiment-record.js";
import type { WorkClient } from "../../src/training/session.js";
import { catalogue } from "../config/fake-catalogue.js";
import { FakeBackend, type Pretence } from "./fake-backend.js";

/** 24 samples in batches of 5 are 5 steps an epoch; 2 arms × 2 seeds × 3 epochs. */
export const CONFIG = `name: small
dataset: digits
model: mnist-cnn
optimizer: sgd
schedule: { name: constant, learningRate: 0.1 }
batching: { name: constant, size: 5 }
evaluation: { trainSample: 4 }
backend: { chunkBatches: 2 }
epochs: 3
seeds: 2
arms:
  frozen: { order: frozen }
  shuffled: { order: shuffled }
`;

export interface SceneOptions {
  /** As after `--set`. */
  readonly settings?: readonly string[];
  /** Of all backends, or of those of each job. */
  readonly pretence?: Pretence | ((job: number) => Pretence);
  readonly observer?: Observer;
  readonly abort?: AbortController;
  /** What stands between the run and the backend that pretends; nothing where it is left out. */
  between?(client: FakeBackend): Promise<WorkClient>;
  /** Gets what goes into the log; the record where it is left out. */
  log?(line: string): void;
  /** Why no other backend can be had where one is lost; how often, always where it is left out. */
  readonly noOther?: Error;
  readonly noOtherTimes?: number;
  /** Backends that work side by side; 1 where it is left out. */
  readonly jobs?: number;
  /** Which share of the runs it does; all where it is left out. */
  readonly shard?: Shard;
  /** Whether somebody else starts them. */
  readonly isElsewhere?: boolean;
  /** Told of each job that has nothing to do for now, or any more. */
  rests?(job: number): void;
  /** Why a job has no backend at all, or none for now. */
  unavailable?(job: number): Error | undefined | Promise<Error>;
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The config that this text is, at this path, with the orders that it names. */
export async function resolved(text: string, path = "x.yaml"): Promise<ExperimentConfig> {
  const source = ConfigSource.parse(text, path);
  return resolveConfig(source, await OrderSources.load(source), catalogue);
}

export class Scene {
  readonly directory = join(temporaryDirectory(), "run");

  /**
   * Runs the experiment, or goes on with it, on fresh backends, and on another one with the same pretence after each
   * that is discarded: all of them are `clients`.
   */
  async run({
    settings = [],
    pretence = {},
    observer = {},
    abort = new AbortController(),
    noOther,
    noOtherTimes = Number.POSITIVE_INFINITY,
    log,
    between = async (client) => client,
    jobs = 1,
    unavailable = () => undefined,
    rests,
    isElsewhere = false,
    shard,
  }: SceneOptions = {}) {
    const said = settings.map((assignment) => ({ said: assignment, assignment }));
    const source = ConfigSource.parse(CONFIG, join(this.directory, "..", "x.yaml"), said);
    const orders = await OrderSources.load(source);
    const config = resolveConfig(source, orders, catalogue);
    const hash = experimentHash(config);
    const document = { name: config.name, hash, command: "test", commit: undefined, ibatchVersion: "0" };
    const pretenceOf = (job: number): Pretence => (typeof pretence === "function" ? pretence(job) : pretence);
    const clients = [new FakeBackend(pretenceOf(0))];
    let refused = 0;
    const supply = (job: number): Backends => {
      let client = job === 0 ? clients[0] : undefined;
      let isFirst = true;
      return {
        name: `backend ${job + 1}`,
        isElsewhere,
        get: async ({ over } = {}) => {
          if (over?.aborted) throw new Interrupted();
          const refusal = await unavailable(job);
          if (refusal !== undefined) throw refusal;
          if (client === undefined && !isFirst && noOther !== undefined && refused++ < noOtherTimes) throw noOther;
          if (client === undefined) {
            client = new FakeBackend(pretenceOf(job));
            clients.push(client);
          }
          isFirst = false;
          return await between(client);
        },
        discard: async () => {
          client = undefined;
        },
        rest: async () => rests?.(job),
      };
    };
    const record = ExperimentRecord.open(
      this.directory,
      { ...document, determining: determiningSettings(config) },
      config.record,
    );
    let results: readonly RunResult[] = [];
    let stoppedBy: unknown;
    let givenUp: readonly string[] = [];
    let error: unknown;
    try {
      const others = Array.from({ length: jobs - 1 }, (_, job) => supply(job + 1));
      const workplace = { pool: [supply(0), ...others] as const, dataDir: null };
      const audience = audienceOf(observer, log ?? ((line) => record.log(line)));
      const { signal } = abort;
      ({ results, stoppedBy, givenUp } = await tuneAndRun({
        ...{ config, orders, workplace, record, audience, signal },
        share: shard && shareOf(config, shard),
      }));
    } catch (thrown) {
      error = thrown;
    } finally {
      record.close();
    }
    return { client: clients[0], clients, results, stoppedBy, givenUp, error };
  }

  /** A file beside the config. Returns its path. */
  write(name: string, text: string): string {
    const path = join(this.directory, "..", name);
    writeFileSync(path, text);
    return path;
  }

  /** One number after another of a file of raw little-endian float32. */
  floats(path: string): number[] {
    const bytes = this.bytes(path);
    return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
  }

  /** As `floats`, of raw little-endian uint32. */
  words(path: string): number[] {
    const bytes = this.bytes(path);
    return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32LE(4 * at));
  }

  text(path: string): string {
    return readFileSync(join(this.directory, path), "utf8");
  }

  bytes(path: string): Buffer {
    return readFileSync(join(this.directory, path));
  }

  has(path: string): boolean {
    return existsSync(join(this.directory, path));
  }

  /** `run.json` of an arm's run. */
  document(arm: string, seed: number): Record<string, unknown> {
    return JSON.parse(this.text(`${arm}/seed-${seed}/run.json`));
  }

  metrics(arm: string, seed: number): Record<string, unknown>[] {
    return this.text(`${arm}/seed-${seed}/metrics.jsonl`)
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** Every file of the run directory, sorted. */
  files(under = ""): string[] {
    return readdirSync(join(this.directory, under), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.directory.length + 1))
      .sort();
  }
}
