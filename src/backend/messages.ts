/**
 * Every kind of message, its fields and its arrays: docs/PROTOCOL.md as types.
 * `py_backend/messages.py` describes the same; `test/vectors/` holds the two together.
 */
import { z } from "zod";

/** The wire's element types and the typed arrays that hold them. */
export interface DtypeArrays {
  u8: Uint8Array;
  u32: Uint32Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
}
export type Dtype = keyof DtypeArrays;
export type WireArray = DtypeArrays[Dtype];

/** An array of several dimensions: its sizes, and its elements in row-major order. */
export interface ShapedArray<A extends WireArray = WireArray> {
  readonly shape: readonly number[];
  readonly values: A;
}

export interface ArraySpec<
  D extends Dtype = Dtype,
  Optional extends boolean = boolean,
  Dimensions extends number = number,
> {
  readonly dtype: D;
  readonly optional: Optional;
  readonly dimensions: Dimensions;
}
export type ArraySpecs = Readonly<Record<string, ArraySpec>>;

/** An array of one dimension is a typed array; its shape is its length. */
type ArrayOf<S extends ArraySpec> = 1 extends S["dimensions"]
  ? DtypeArrays[S["dtype"]]
  : ShapedArray<DtypeArrays[S["dtype"]]>;

/** The arrays that a message with these specs carries. */
export type ArraysOf<S extends ArraySpecs> = {
  -readonly [K in keyof S as S[K]["optional"] extends true ? never : K]: ArrayOf<S[K]>;
} & {
  -readonly [K in keyof S as S[K]["optional"] extends true ? K : never]?: ArrayOf<S[K]> | undefined;
};

export interface MessageKind<Shape extends z.ZodRawShape = z.ZodRawShape, Specs extends ArraySpecs = ArraySpecs> {
  readonly fields: z.ZodObject<Shape, z.core.$strict>;
  readonly arrays: Specs;
}

const array = <D extends Dtype>(dtype: D): ArraySpec<D, false, 1> => ({ dtype, optional: false, dimensions: 1 });
const optionalArray = <D extends Dtype>(dtype: D): ArraySpec<D, true, 1> => ({ dtype, optional: true, dimensions: 1 });
/** Images, as they are stored: [m, H, W, C]. */
const imagesArray: ArraySpec<"u8", false, 4> = { dtype: "u8", optional: false, dimensions: 4 };

function message<Shape extends z.ZodRawShape>(shape: Shape): MessageKind<Shape, Record<never, never>>;
function message<Shape extends z.ZodRawShape, Specs extends ArraySpecs>(
  shape: Shape,
  arrays: Specs,
): MessageKind<Shape, Specs>;
function message(shape: z.ZodRawShape, arrays: ArraySpecs = {}): MessageKind {
  return { fields: z.strictObject(shape), arrays };
}

const MAX_INT = 2 ** 32 - 1;
export const int = z.int().min(0).max(MAX_INT);
export const positiveInt = int.min(1);
const float = z.number().min(0);
const text = z.string().max(4096);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const optionalText = text.nullable();

export const SIGNALS = ["loss", "correct", "prediction", "margin", "entropy", "el2n"] as const;
export type Signal = (typeof SIGNALS)[number];
const signals = z
  .array(z.enum(SIGNALS))
  .min(1)
  .refine((names) => new Set(names).size === names.length, "names one twice");
const signalArrays = {
  loss: optionalArray("f32"),
  correct: optionalArray("u8"),
  prediction: optionalArray("u32"),
  margin: optionalArray("f32"),
  entropy: optionalArray("f32"),
  el2n: optionalArray("f32"),
};

const named = z.strictObject({ name: text, options: z.record(text, z.unknown()) });

/** One of the backend's own (`catalogue`), or the user's: `name` is then "package.module:callable" (`import`). */
const chosen = named.extend({ origin: z.enum(["catalogue", "import"]) });

/** What was imported for a reference: where it came from, and what it was. */
const imported = z.strictObject({
  reference: text,
  file: optionalText,
  version: optionalText,
  sha256: sha256.nullable(),
});
export type Imported = z.infer<typeof imported>;

/** A source of the user's as it was executed; `file` is a folder where an installed package is meant. */
const codeFile = z.strictObject({ module: text, file: text, sha256 });

const option = z.strictObject({
  type: z.enum(["int", "float", "bool", "str"]),
  default: z.unknown(),
  help: text,
  choices: z.array(z.unknown()).nullable(),
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
});
/** An option of a model, dataset or optimiser, as its own file declares it. */
export type CatalogueOption = z.infer<typeof option>;

const catalogueEntry = z.strictObject({
  name: text,
  summary: text,
  whenToChoose: text,
  options: z.record(text, option),
});
export type CatalogueEntry = z.infer<typeof catalogueEntry>;

const catalogue = z.strictObject({
  models: z.array(catalogueEntry),
  datasets: z.array(catalogueEntry),
  optimizers: z.array(catalogueEntry),
});
/** What a backend can open. */
export type Catalogue = z.infer<typeof catalogue>;

const part = z.enum(["train", "test"]);

/** Whose statistics BatchNorm layers normalise with while samples are looked at. */
const NORMS = ["running", "batch", "reestimated"] as const;
export type Norm = (typeof NORMS)[number];

/** Weights that samples are looked at with: the last ones, or their mean over updates. */
const WHICH_WEIGHTS = ["last", "averaged"] as const;
export type WhichWeights = (typeof WHICH_WEIGHTS)[number];

/** The mean that weights are counted into, from the batch of this step on: a uniform one where `decay` is null. */
const average = z.strictObject({ fromStep: int, decay: z.number().gt(0).lt(1).nullable() });
export type Average = Readonly<z.infer<typeof average>>;

export const PRECISIONS = ["float32", "tf32", "bfloat16"] as const;

/** Whether images and weights may lie channels last in memory. */
export const CHANNELS_LAST = ["auto", "off"] as const;

export const MESSAGES = {
  hello: message({ client: text }),
  hello_ok: message({
    instance: text,
    backendVersion: text,
    versions: z.record(text, text),
    platform: text,
    device: text,
    deviceName: text,
    threads: int,
    precisions: z.record(text, text),
    workEndpoint: text,
    limits: z.strictObject({ headerBytes: int, messageBytes: int, frames: int, sessions: int }),
    catalogue,
  }),
  ping: message({ session: optionalText }),
  ping_ok: message({ instance: text }),
  status: message({ session: optionalText }),
  status_ok: message({
    state: z.enum(["idle", "working"]),
    sessionOpen: z.boolean(),
    step: int,
    secondsSinceProgress: float,
    peakBytes: z.int().min(0),
  }),
  cancel: message({ session: text }),
  cancel_ok: message({ working: z.boolean() }),
  shutdown: message({ session: optionalText }),
  shutdown_ok: message({}),

  open: message({
    dataset: chosen,
    dataDir: optionalText,
    model: chosen,
    loss: chosen.nullable(),
    optimizer: named,
    augmentation: z.strictObject({ crop: int.max(64), flip: z.boolean() }),
    precision: z.enum(PRECISIONS),
    channelsLast: z.enum(CHANNELS_LAST),
    equalBits: z.boolean(),
    fast: z.boolean(),
    seed: int,
    modelSeed: int.nullable(),
    owner: optionalText,
  }),
  open_ok: message(
    {
      session: text,
      instance: text,
      device: text,
      deviceName: text,
      threads: int,
      versions: z.record(text, text),
      platform: text,
      n: int,
      testCount: int,
      inputShape: z.array(int),
      parameterCount: int,
      dataSha256: sha256,
      initialWeightsSha256: sha256,
      settings: z.strictObject({
        memoryFormat: text,
        precision: z.enum(PRECISIONS),
        deterministic: z.boolean(),
        fusedUpdates: z.boolean(),
        recordedSteps: z.boolean(),
        dropout: z.array(float),
        batchNormLayers: int,
      }),
      leastBatchSize: positiveInt,
      imports: z.array(imported),
      code: z.array(codeFile),
      edited: z.array(text),
      notices: z.array(text),
    },
    /** classNames: JSON, since the names of many classes do not go into a header. */
    { labels: array("u32"), testLabels: array("u32"), classNames: array("u8") },
  ),
  relabel: message({ session: text }, { indices: array("u32"), labels: array("u32") }),
  relabel_ok: message({ session: text }),
  train: message(
    { session: text, firstStep: int, sha256, signals, microBatch: positiveInt.nullable(), average: average.nullable() },
    {
      indices: array("u32"),
      offsets: array("u32"),
      learningRates: array("f64"),
      weights: optionalArray("f32"),
    },
  ),
  train_ok: message(
    { session: text, firstStep: int, batchesDone: int, indicesSha256: sha256, seconds: float },
    signalArrays,
  ),
  score: message({ session: text, signals, batchSize: positiveInt }, { indices: array("u32") }),
  score_ok: message({ session: text, indicesSha256: sha256, seconds: float }, signalArrays),
  evaluate: message(
    { session: text, part, norm: z.enum(NORMS), weights: z.enum(WHICH_WEIGHTS), signals, batchSize: positiveInt },
    { indices: array("u32"), calibration: optionalArray("u32") },
  ),
  evaluate_ok: message({ session: text, indicesSha256: sha256, seconds: float }, signalArrays),
  images: message({ session: text, part }, { indices: array("u32") }),
  images_ok: message({ session: text, indicesSha256: sha256 }, { images: imagesArray }),
  weights: message({ session: text }),
  weights_ok: message(
    { session: text, step: int, tensors: z.array(z.strictObject({ name: text, shape: z.array(int) })) },
    { values: array("f32") },
  ),
  save: message({ session: text, step: int, part: int }),
  save_ok: message(
    {
      session: text,
      step: int,
      part: int,
      parts: positiveInt,
      sha256,
      totalBytes: z.int().min(0),
      notices: z.array(text),
    },
    { bytes: array("u8") },
  ),
  load: message({ session: text, step: int, part: int, parts: positiveInt, sha256 }, { bytes: array("u8") }),
  load_ok: message({ session: text, step: int, part: int }),
  close: message({ session: text }),
  close_ok: message({}),

  error: message({ code: text, message: text, details: z.record(text, z.unknown()) }),
};

export type MessageType = keyof typeof MESSAGES;
export type FieldsOf<T extends MessageType> = z.infer<(typeof MESSAGES)[T]["fields"]>;
export type MessageArrays<T extends MessageType> = ArraysOf<(typeof MESSAGES)[T]["arrays"]>;

export type ControlRequest = "hello" | "ping" | "status" | "cancel" | "shutdown";
export type WorkRequest =
  | "open"
  | "relabel"
  | "train"
  | "score"
  | "evaluate"
  | "images"
  | "weights"
  | "save"
  | "load"
  | "close";
export type AnswerTo<T extends ControlRequest | WorkRequest> = `${T}_ok`;

/** A message of one type, as the controller handles it. */
export interface Message<T extends MessageType = MessageType> {
  readonly type: T;
  readonly id: number;
  readonly fields: FieldsOf<T>;
  readonly arrays: MessageArrays<T>;
}

export const isMessageType = (type: unknown): type is MessageType =>
  typeof type === "string" && Object.hasOwn(MESSAGES, type);
