/** Where the orders of a config come from: our table, a user's file, a recorded run. Loaded before the config is checked. */
import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../exact-json.js";
import type { Choice } from "../order-files/choose-options.js";
import { type Listening, OrderFile, type Running } from "../order-files/order-file.js";
import { RecordedScores } from "../order-files/recorded-scores.js";
import { Replayed } from "../order-files/replay.js";
import { ownOrder, type ReadScores, type RunOrder } from "../order-files/run-order.js";
import type { OrderDefinition, WantedScores } from "../orders/contract.js";
import { findOrder } from "../orders/index.js";
import { splitOptions } from "../orders/ledger-options.js";
import type { Surroundings } from "../record/run-document.js";
import type { Path } from "../schema-mistake.js";
import type { Chosen } from "./checker.js";
import type { ConfigSource } from "./config-source.js";
import { mergeArm } from "./merge-arm.js";
import { spellNamed } from "./named-section.js";

/** What an arm's resolved order says of its origin: all that is needed to find it again. */
export interface OrderReference {
  readonly name: string;
  readonly file?: FileReference;
  /** As the config writes it, with a hash of what is replayed. */
  readonly replay?: { readonly directory: string; readonly identity: string };
  /** Of an order that reads runs recorded earlier: as the config writes it, with a hash of what is read of them. */
  readonly from?: { readonly directory: string; readonly identity: string };
}

export interface FileReference {
  /** As the config writes it. */
  readonly path: string;
  /** Of what was there. */
  readonly sha256: string;
  /** SHA-256 of each file that it imports from beside it, by the path from its folder; absent where it imports none. */
  readonly imports?: Readonly<Record<string, string>>;
}

type Options = Chosen["options"];

/** What an order in a file answered to the options that an arm has for it. */
interface FileChoice {
  readonly file: string;
  readonly given: Options;
  readonly choice: Choice;
}

const NOBODY: Listening = { signal: new AbortController().signal, say: () => {} };

export class OrderSources {
  readonly #files: ReadonlyMap<string, OrderFile>;
  readonly #choices: readonly FileChoice[];
  readonly #replayed: ReadonlyMap<string, Replayed>;
  /** From where the config names directories. */
  readonly #base: string;
  readonly #scores = new Map<string, RecordedScores>();
  readonly #told = new Set<string>();

  private constructor(loaded: {
    files: ReadonlyMap<string, OrderFile>;
    choices: readonly FileChoice[];
    replayed: ReadonlyMap<string, Replayed>;
    base: string;
  }) {
    this.#files = loaded.files;
    this.#choices = loaded.choices;
    this.#replayed = loaded.replayed;
    this.#base = loaded.base;
  }

  /** Our own orders alone. */
  static readonly builtIn = new OrderSources({ files: new Map(), choices: [], replayed: new Map(), base: "." });

  /**
   * Imports every file and finds every run that the config names, in all arms; and asks the files' orders for what
   * they make of the options that arms have for them.
   * @throws IbatchError naming the place in the config; Interrupted.
   */
  static async load(source: ConfigSource, listening: Listening = NOBODY): Promise<OrderSources> {
    const files = new Map<string, OrderFile>();
    const replayed = new Map<string, Replayed>();
    try {
      for (const { path, section } of orderSections(source)) {
        const where = `${source.where(path)}: ${path.join(".")}`;
        const { file, replay } = section;
        if (typeof file === "string" && !files.has(file)) {
          files.set(file, await OrderFile.import(file, source.directory, where, from(file, listening)));
        }
        if (typeof replay === "string" && !replayed.has(replay)) {
          replayed.set(replay, new Replayed(replay, source.directory, where));
        }
      }
      return new OrderSources({ files, choices: await choicesOf(source, files), replayed, base: source.directory });
    } finally {
      await Promise.all([...files.values()].map((file) => file.stop()));
    }
  }

  file(path: string): OrderFile {
    return found(this.#files, path);
  }

  /** What a file's order makes of the options that an arm has for it. */
  choice(path: string, given: Options): Choice {
    const known = this.#choices.find(({ file, given: asked }) => file === path && isDeepStrictEqual(asked, given));
    if (known === undefined) throw new Error(`${path} was not asked for its options with the config's orders`);
    return known.choice;
  }

  replayed(directory: string): Replayed {
    return found(this.#replayed, directory);
  }

  /** Runs recorded earlier of which an order reads values; looked at when they are asked for. */
  scores(directory: string): RecordedScores {
    const scores = this.#scores.get(directory) ?? new RecordedScores(directory, this.#base);
    this.#scores.set(directory, scores);
    return scores;
  }

  /** The definition that a resolved order of ours or a replay means, for a run with this seed. */
  definition({ name, replay }: OrderReference, seed: number): OrderDefinition {
    return replay === undefined ? findOrder(name) : this.replayed(replay.directory).definition(seed);
  }

  /** Of an order that is replayed, a hash of what a run with this seed is to be trained on. */
  replayedHash({ replay }: OrderReference, seed: number, epochs: number | undefined): string | undefined {
    return replay && this.replayed(replay.directory).plansHash(seed, epochs);
  }

  /** @throws IbatchError where an order is replayed, or reads runs, that were made on other data than these. */
  refuseOtherData(
    { replay, from }: OrderReference,
    seed: number,
    made: Pick<Surroundings, "dataSha256" | "dataset">,
  ): void {
    if (replay !== undefined) this.replayed(replay.directory).refuseOtherData(seed, made);
    if (from !== undefined) this.scores(from.directory).refuseOtherData(made);
  }

  /** Their order left samples out: what is chosen by such scores is partly what that order drew. Said once. */
  #tellUnknown(
    { name, from }: { readonly name: string; readonly from: NonNullable<OrderReference["from"]> },
    { of }: WantedScores,
    [unknown, all]: readonly [number, number],
    { say }: Listening,
  ): void {
    const line =
      `order ${name}: the runs in ${from.directory} know ${of} of ${all - unknown} of the ${all} samples that may be drawn, for ` +
      `their order left samples out; of the other ${unknown} it is told nothing`;
    if (this.#told.has(line)) return;
    this.#told.add(line);
    say(line);
  }

  /** The order for a run with this seed, its own. `modelSeed`: of its initial weights, where that is another one. */
  start(
    order: OrderReference & Pick<Chosen, "options">,
    seed: number,
    { modelSeed = seed, ...running }: Running & { readonly modelSeed?: number },
  ): RunOrder {
    const { file, from: source, options } = order;
    const readScores: ReadScores | undefined =
      source &&
      ((wanted, labels, eligible) => {
        const scores = this.scores(source.directory).read(modelSeed, wanted, labels);
        const unknown = eligible.reduce((count, sample) => count + Number(Number.isNaN(scores[sample])), 0);
        if (unknown > 0) this.#tellUnknown({ ...order, from: source }, wanted, [unknown, eligible.length], running);
        return scores;
      });
    if (file === undefined) {
      const { replay } = order;
      const own = ownOrder(this.definition(order, seed), options, readScores);
      return replay ? { ...own, recorded: () => this.replayed(replay.directory).recordedWork(seed) } : own;
    }
    const { path } = file;
    for (const { file: asked, choice } of this.#choices) {
      if (asked !== path || "mistake" in choice || !isDeepStrictEqual(choice.options, options)) continue;
      return this.file(path).start(options, choice.declared, { ...running, ...from(path, running), readScores });
    }
    throw new Error(`${path} was not asked for these options with the config's orders`);
  }
}

const from = (file: string, { signal, say }: Listening): Listening => ({
  signal,
  say: (line) => {
    try {
      say(`order ${file}: ${line}`);
    } catch {
      // A full disk is told by what the run itself writes: here nobody would catch it.
    }
  },
});

async function choicesOf(source: ConfigSource, files: ReadonlyMap<string, OrderFile>): Promise<FileChoice[]> {
  const choices: FileChoice[] = [];
  for (const section of armsOrders(source)) {
    const { name, file: path, replay, shuffledLastEpoch, ...given } = section;
    const file = typeof path === "string" ? files.get(path) : undefined;
    if (typeof path !== "string" || file === undefined) continue;
    const { own } = splitOptions(given, file.description);
    choices.push({ file: path, given: own, choice: await file.choose(own) });
  }
  return choices;
}

/** The order of each arm, merged with the common one, as far as it is a section. */
function armsOrders({ value: { arms, order } }: ConfigSource): Record<string, unknown>[] {
  return Object.values(isRecord(arms) ? arms : {}).flatMap((override) => {
    const merged = mergeArm({ order }, isRecord(override) ? { order: override.order } : {});
    const section = spellNamed("order", merged.order);
    return isRecord(section) ? [section] : [];
  });
}

function found<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Error(`${key} was not loaded with the config's orders`);
  return value;
}

/** Every `order` section of the config, spelled out, with its place. */
function orderSections(source: ConfigSource): { path: Path; section: Record<string, unknown> }[] {
  const { order, arms } = source.value;
  const places: [Path, unknown][] = [[["order"], order]];
  if (isRecord(arms)) {
    for (const [arm, override] of Object.entries(arms)) {
      if (isRecord(override)) places.push([["arms", arm, "order"], override.order]);
    }
  }
  return places.flatMap(([path, value]) => {
    const section = spellNamed("order", value);
    return isRecord(section) ? [{ path, section }] : [];
  });
}
