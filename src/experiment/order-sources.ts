/** Where the orders of a config come from: our table, a user's file, a recorded run. Loaded before the config is checked. */
import type { OrderDefinition } from "../orders/contract.js";
import { findOrder } from "../orders/index.js";
import type { Chosen } from "./checker.js";
import type { ConfigSource, Path } from "./config-source.js";
import { isRecord, spellNamed } from "./named-section.js";
import { importOrder, type OrderFile } from "./order-file.js";
import { Replayed } from "./replay.js";
import { ownOrder, type RunOrder } from "./run-order.js";

/** What an arm's resolved order says of its origin: all that is needed to find its definition again. */
export interface OrderReference {
  readonly name: string;
  /** As the config writes it, with the SHA-256 of what was there. */
  readonly file?: { readonly path: string; readonly sha256: string };
  /** As the config writes it, with a hash of what is replayed. */
  readonly replay?: { readonly directory: string; readonly identity: string };
}

export class OrderSources {
  readonly #files: ReadonlyMap<string, OrderFile>;
  readonly #replayed: ReadonlyMap<string, Replayed>;

  private constructor(files: ReadonlyMap<string, OrderFile>, replayed: ReadonlyMap<string, Replayed>) {
    this.#files = files;
    this.#replayed = replayed;
  }

  /** Our own orders alone. */
  static readonly builtIn = new OrderSources(new Map(), new Map());

  /**
   * Imports every file and finds every run that the config names, in all arms.
   * @throws IbatchError naming the place in the config.
   */
  static async load(source: ConfigSource): Promise<OrderSources> {
    const files = new Map<string, OrderFile>();
    const replayed = new Map<string, Replayed>();
    for (const { path, section } of orderSections(source)) {
      const where = `${source.where(path)}: ${path.join(".")}`;
      const { file, replay } = section;
      if (typeof file === "string" && !files.has(file)) {
        files.set(file, await importOrder(file, source.directory, where));
      }
      if (typeof replay === "string" && !replayed.has(replay)) {
        replayed.set(replay, new Replayed(replay, source.directory, where));
      }
    }
    return new OrderSources(files, replayed);
  }

  file(path: string): OrderFile {
    return found(this.#files, path);
  }

  replayed(directory: string): Replayed {
    return found(this.#replayed, directory);
  }

  /** The definition that a resolved order means, for a run with this seed. */
  definition({ name, file, replay }: OrderReference, seed: number): OrderDefinition {
    if (file !== undefined) return this.file(file.path).definition;
    if (replay !== undefined) return this.replayed(replay.directory).definition(seed);
    return findOrder(name);
  }

  /** The order for a run with this seed. */
  start(order: OrderReference & Pick<Chosen, "options">, seed: number): RunOrder {
    const definition = this.definition(order, seed);
    const { file, options } = order;
    return file === undefined ? ownOrder(definition, options) : shownCopies(definition, options);
  }
}

/** One from a file: what it changes in place of what it is shown, options among it, harms itself alone. */
const shownCopies = (definition: OrderDefinition, options: Chosen["options"]): RunOrder => ({
  ...ownOrder(definition, options),
  order: ({ memory, ...inputs }) =>
    ownOrder(definition, structuredClone(options)).order({ ...structuredClone(inputs), memory }),
});

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
