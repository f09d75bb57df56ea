/** An order from a user's file, as a run asks it: in a thread that lives as long as the run. */
import { IbatchError } from "../../errors.js";
import type { MemoryArray } from "../../orders/contract.js";
import type { Declared } from "../../orders/declared.js";
import { type EpochInputs, type ReadScores, type RunOrder, scoring } from "../run-order.js";
import type { GraphFile } from "./graph.js";
import { valuesOf } from "./learned.js";
import type { Description, Exchanges, Question } from "./messages.js";
import { type Limit, OrderThread, type ThreadOptions } from "./order-thread.js";

export interface ThreadedInputs extends ThreadOptions {
  readonly description: Description;
  readonly declared: Declared;
  readonly options: Readonly<Record<string, unknown>>;
  /** For an epoch. */
  readonly limit: Limit;
  readonly readScores?: ReadScores | undefined;
}

export function threadedOrder(inputs: ThreadedInputs): RunOrder {
  const { description, declared, options, limit } = inputs;
  const { name, readsLedger } = description;
  const withScores = scoring(declared, inputs.readScores);
  let started: Promise<OrderThread> | undefined;
  const running = () => {
    started ??= start(inputs);
    return started;
  };
  const ask = async <Q extends Question>(question: Q): Promise<Exchanges[Q["subject"]]["answer"]> => {
    const thread = await running();
    return thread.ask(question, limit);
  };
  return {
    ...{ name, readsLedger },
    ...declared,
    allocateMemory: (n) => ask({ subject: "memory", n }),
    async order(epoch: EpochInputs) {
      const { ordered, memory, files } = await ask({ subject: "order", options, inputs: withScores(epoch) });
      refuseOtherFiles(inputs, files);
      for (const [array, values] of Object.entries(memory)) epoch.memory[array]?.set(values);
      return ordered;
    },
    async beginBatches(epoch, drawn) {
      const { ledger, memory } = epoch;
      const seen = shared(memory);
      (await running()).giveGrace(GRACE_SECONDS);
      await ask({ subject: "begin", options, inputs: { ...withScores(epoch), memory: seen }, drawn });
      return {
        async candidates(place) {
          const { named, files } = await ask({ subject: "candidates", place });
          refuseOtherFiles(inputs, files);
          return named;
        },
        async next(batch) {
          const values = valuesOf(ledger, batch.learned);
          const { ordered, files } = await ask({ subject: "next", batch, values });
          refuseOtherFiles(inputs, files);
          for (const [array, kept] of Object.entries(seen)) memory[array]?.set(kept);
          return ordered;
        },
      };
    },
    async end() {
      if (started === undefined) return;
      try {
        refuseOtherFiles(inputs, (await ask({ subject: "end" })).files);
      } catch (error) {
        if (!(error instanceof Error) || error instanceof IbatchError) throw error;
        throw new IbatchError("run", `order ${name} failed after its last epoch: ${error.message}`, { cause: error });
      } finally {
        await this.stop();
      }
    },
    async stop() {
      const thread = await started?.catch(() => undefined);
      await thread?.stop();
    },
  };
}

/** The same, in memory that another thread changes; what it has changed is taken over when its answer is. */
const shared = (memory: EpochInputs["memory"]): EpochInputs["memory"] =>
  Object.fromEntries(
    Object.entries(memory).map(([name, values]) => {
      const copy = sharedLike(values);
      copy.set(values);
      return [name, copy];
    }),
  );

function sharedLike(values: MemoryArray): MemoryArray {
  const buffer = new SharedArrayBuffer(values.byteLength);
  if (values instanceof Uint8Array) return new Uint8Array(buffer);
  if (values instanceof Uint32Array) return new Uint32Array(buffer);
  if (values instanceof Int32Array) return new Int32Array(buffer);
  return values instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer);
}

/** So long batches are decided when the user has stopped a run: it goes on where as many are as `lag` says. */
const GRACE_SECONDS = 1;

async function start(inputs: ThreadedInputs): Promise<OrderThread> {
  const { thread, imported } = await OrderThread.start(inputs);
  try {
    if ("refused" in imported) throw new Error(imported.refused);
    refuseOtherFiles(inputs, imported.files);
    return thread;
  } catch (error) {
    await thread.stop();
    throw error;
  }
}

/** What is trained by is what was hashed when the config was read. */
function refuseOtherFiles({ entry, files }: ThreadOptions, loaded: readonly GraphFile[]): void {
  for (const { path, sha256 } of loaded) {
    const before = files.find((file) => file.path === path);
    if (before === undefined) {
      throw new Error(`${entry} imports ${path} only as it runs: import it at the top, where its content is recorded`);
    }
    if (before.sha256 !== sha256) throw new Error(`${path} has changed since the experiment began`);
  }
}
